#include "cli/client/image.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "updraft/v1/node.grpc.pb.h"

namespace updraft::cli {
namespace {

using testing::HasSubstr;

class FakeAgent final : public v1::AgentService::Service {
 public:
  grpc::Status LoadImage(
      grpc::ServerContext* /*context*/,
      grpc::ServerReaderWriter<v1::LoadImageProgress, v1::LoadImageRequest>* stream) override {
    v1::LoadImageRequest request;
    while (stream->Read(&request)) {
      if (request.has_header()) header = request.header();
      bytes += request.data();
      if (!failure.ok()) return failure;
    }
    v1::LoadImageProgress progress;
    progress.set_step("unpacking layer 1/1");
    progress.set_bytes_done(static_cast<int64_t>(bytes.size()));
    stream->Write(progress);
    progress.add_references("dev.local/hello:latest");
    stream->Write(progress);
    return grpc::Status::OK;
  }
  grpc::Status ListImages(grpc::ServerContext* /*context*/,
                          const v1::ListImagesRequest* /*request*/,
                          v1::ListImagesResponse* response) override {
    v1::Image& image = *response->add_images();
    image.set_reference("dev.local/hello:latest");
    image.set_digest("sha256:0123456789abcdef0123456789abcdef");
    image.set_size_bytes(1'234'567);
    image.set_loaded(true);
    return failure;
  }
  grpc::Status RemoveImage(grpc::ServerContext* /*context*/, const v1::RemoveImageRequest* request,
                           v1::RemoveImageResponse* /*response*/) override {
    removed = request->reference();
    return failure;
  }

  v1::LoadImageHeader header;
  std::string bytes;
  std::string removed;
  grpc::Status failure;
};

class ImageTest : public testing::Test {
 protected:
  ImageTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "updraft-cli-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    agent_ = "unix:" + folder_ + "/agent.sock";
    grpc::ServerBuilder builder;
    builder.AddListeningPort(agent_, grpc::InsecureServerCredentials());
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~ImageTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::string agent_;
  FakeAgent service_;
  std::unique_ptr<grpc::Server> server_;
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
  const Console console_{in_, out_, err_};
};

TEST_F(ImageTest, LoadSendsTheWholeFile) {
  const std::string archive(1'000'000, 'x');
  std::ofstream(folder_ + "/hello.tar") << archive;
  EXPECT_EQ(LoadImage(console_, agent_, {folder_ + "/hello.tar", "named"}), 0) << err_.str();
  EXPECT_EQ(out_.str(), "loaded dev.local/hello:latest\n");
  EXPECT_THAT(err_.str(), HasSubstr("unpacking layer 1/1"));
  EXPECT_EQ(service_.bytes.size(), archive.size());
  EXPECT_EQ(service_.header.file_name(), "hello.tar");
  EXPECT_EQ(service_.header.size_bytes(), 1'000'000);
  EXPECT_EQ(service_.header.reference(), "named");
}

TEST_F(ImageTest, LoadFromStandardInput) {
  in_.str("from a pipe");
  EXPECT_EQ(LoadImage(console_, agent_, {"-", ""}), 0) << err_.str();
  EXPECT_EQ(service_.bytes, "from a pipe");
}

TEST_F(ImageTest, WhatTheAgentRefusesIsShown) {
  std::ofstream(folder_ + "/bad.tar") << std::string(3'000'000, 'x');
  service_.failure = grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "not an archive");
  EXPECT_EQ(LoadImage(console_, agent_, {folder_ + "/bad.tar", ""}), 1);
  EXPECT_EQ(err_.str(), "error: not an archive\n");
}

TEST_F(ImageTest, AFileThatIsNotThere) {
  EXPECT_EQ(LoadImage(console_, agent_, {folder_ + "/nope.tar", ""}), 1);
  EXPECT_THAT(err_.str(), HasSubstr("nope.tar: No such file"));
}

TEST_F(ImageTest, AnAgentThatIsAway) {
  EXPECT_EQ(ListImages(console_, "unix:" + folder_ + "/nobody.sock"), 1);
  EXPECT_THAT(err_.str(), HasSubstr("no node-agent at unix:"));
}

TEST_F(ImageTest, ListAndRemove) {
  EXPECT_EQ(ListImages(console_, agent_), 0);
  EXPECT_EQ(out_.str(),
            "IMAGE                    DIGEST                SIZE     FROM\n"
            "dev.local/hello:latest   sha256:0123456789ab   1.2 MB   archive\n");
  EXPECT_EQ(RemoveImage(console_, agent_, "dev.local/hello:latest"), 0);
  EXPECT_EQ(service_.removed, "dev.local/hello:latest");
  service_.failure = grpc::Status(grpc::StatusCode::NOT_FOUND, "no such image");
  EXPECT_EQ(RemoveImage(console_, agent_, "x"), 1);
  EXPECT_EQ(err_.str(), "error: no such image\n");
}

}  // namespace
}  // namespace updraft::cli

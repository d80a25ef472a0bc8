#include "controller/nodes/agent_client.h"

#include <gtest/gtest.h>

#include "tests/unit/controller/nodes/control_plane_rig.h"

namespace updraft::controller {
namespace {

// An agent with one log of `chunks` pieces.
class FakeAgent : public v1::AgentService::Service {
 public:
  int chunks = 3;
  bool follow_for_ever = false;
  bool hold = false;  // says nothing until it is cancelled
  std::atomic<bool> cancelled{false};

  grpc::Status ReadLogs(grpc::ServerContext* context, const v1::ReadLogsRequest* request,
                        grpc::ServerWriter<v1::LogChunk>* writer) override {
    if (request->instance_id() == "gone") return {grpc::StatusCode::NOT_FOUND, "no such instance"};
    v1::LogChunk chunk;
    while (hold && !context->IsCancelled()) std::this_thread::yield();
    for (int i = 0; (i < chunks || follow_for_ever) && !context->IsCancelled(); ++i) {
      chunk.set_data("line " + std::to_string(i) + "\n");
      if (!writer->Write(chunk)) break;
    }
    cancelled = context->IsCancelled();
    return grpc::Status::OK;
  }

  // Says back what it hears, and ends with the number of the bytes.
  grpc::Status Exec(grpc::ServerContext* context,
                    grpc::ServerReaderWriter<v1::ExecOutput, v1::ExecInput>* stream) override {
    v1::ExecInput input;
    v1::ExecOutput output;
    if (!stream->Read(&input) || input.start().instance_id() == "gone")
      return {grpc::StatusCode::NOT_FOUND, "no such instance"};
    output.set_started(true);
    stream->Write(output);
    int bytes = 0;
    while (stream->Read(&input) && !input.end()) {
      bytes += static_cast<int>(input.standard_input().size());
      output.set_standard_output(input.standard_input());
      stream->Write(output);
    }
    cancelled = context->IsCancelled();
    output.set_exit(bytes);
    stream->Write(output);
    return grpc::Status::OK;
  }

  grpc::Status ResolveImage(grpc::ServerContext*, const v1::ResolveImageRequest* request,
                            v1::ResolveImageResponse* response) override {
    if (request->image() == "gone") return {grpc::StatusCode::NOT_FOUND, "no such tag"};
    response->set_digest("sha256:1 for " + request->auth(0).username());
    return grpc::Status::OK;
  }
};

class AgentClientTest : public testing::Test {
 protected:
  AgentClientTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(folder_.Target("agent.sock"), grpc::InsecureServerCredentials());
    builder.RegisterService(&agent_);
    server_ = builder.BuildAndStart();
    on_.Call([this] {
      client_ = std::make_unique<AgentClient>(on_.loop(), folder_.Target("agent.sock"));
    });
  }
  ~AgentClientTest() override {
    on_.Call([this] {
      scope_.reset();
      client_.reset();
    });
    server_->Shutdown(std::chrono::system_clock::now());
  }

  static http::Task<void> Resolve(AgentClientTest* test, std::string image) {
    v1::ImageAuth auth;
    auth.set_username("me");
    std::vector<v1::ImageAuth> all = {auth};
    test->resolved_ =
        co_await test->client_->ResolveImage(std::move(image), std::move(all), Seconds(5));
  }
  static http::Task<void> ReadAll(AgentClientTest* test, std::string instance, size_t chunks_max) {
    v1::ReadLogsRequest request;
    request.set_instance_id(std::move(instance));
    LogReader reader = test->client_->ReadLogs(std::move(request));
    while (test->lines_.size() < chunks_max) {
      Result<std::optional<std::string>> chunk = co_await reader.Next();
      if (!chunk) test->error_ = chunk.error();
      if (!chunk || !*chunk) break;
      test->lines_.push_back(**chunk);
    }
    test->done_ = true;
  }
  static http::Task<void> ReadNext(AgentClientTest* test, LogReader* reader) {
    Result<std::optional<std::string>> chunk = co_await reader->Next();
    if (!chunk) test->error_ = chunk.error();
    test->done_ = true;
  }
  // Sends three words, and takes everything that comes back.
  static http::Task<void> Talk(AgentClientTest* test, std::string instance) {
    AgentClient::ExecStream stream = test->client_->Exec();
    v1::ExecInput input;
    input.mutable_start()->set_instance_id(std::move(instance));
    (void)co_await stream.Write(std::move(input));
    const std::vector<std::string> words = {"one", "two", "three"};
    for (const std::string& word : words) {
      v1::ExecInput next;
      next.set_standard_input(word);
      (void)co_await stream.Write(std::move(next));
    }
    v1::ExecInput last;
    last.set_end(true);
    (void)co_await stream.Write(std::move(last));
    while (true) {
      Result<std::optional<v1::ExecOutput>> output = co_await stream.Next();
      if (!output) test->error_ = output.error();
      if (!output || !*output) break;
      test->lines_.push_back((*output)->has_exit() ? std::to_string((*output)->exit())
                                                   : (*output)->standard_output());
    }
    test->done_ = true;
  }
  static http::Task<void> WaitForOutput(AgentClientTest* test, AgentClient::ExecStream* stream) {
    v1::ExecInput input;
    input.mutable_start()->set_instance_id("i");
    (void)co_await stream->Write(std::move(input));
    Result<std::optional<v1::ExecOutput>> output = co_await stream->Next();
    test->started_ = true;
    while (output && *output) output = co_await stream->Next();
    if (!output) test->error_ = output.error();
    test->done_ = true;
  }
  void Spawn(http::Task<void> task) {
    on_.Call([this, &task] { scope_->Spawn(std::move(task)); });
  }

  SocketFolder folder_;
  FakeAgent agent_;
  TestLoop on_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<AgentClient> client_;
  std::unique_ptr<http::Scope> scope_ = std::make_unique<http::Scope>();
  std::optional<Result<std::string>> resolved_;
  std::vector<std::string> lines_;
  std::optional<Error> error_;
  bool started_ = false;
  bool done_ = false;
};

TEST_F(AgentClientTest, ResolvesWithTheCredentialsItWasGiven) {
  Spawn(Resolve(this, "app"));
  ASSERT_TRUE(on_.WaitUntil([this] { return resolved_.has_value(); }));
  ASSERT_TRUE(*resolved_);
  EXPECT_EQ(**resolved_, "sha256:1 for me");
}

TEST_F(AgentClientTest, PassesOnWhatTheAgentSaysIsWrong) {
  Spawn(Resolve(this, "gone"));
  ASSERT_TRUE(on_.WaitUntil([this] { return resolved_.has_value(); }));
  ASSERT_FALSE(*resolved_);
  EXPECT_EQ(resolved_->error().code, Code::kNotFound);
  EXPECT_EQ(resolved_->error().message, "no such tag");
}

TEST_F(AgentClientTest, ReadsALogToItsEnd) {
  Spawn(ReadAll(this, "i", 100));
  ASSERT_TRUE(on_.WaitUntil([this] { return done_; }));
  EXPECT_EQ(lines_, (std::vector<std::string>{"line 0\n", "line 1\n", "line 2\n"}));
  EXPECT_FALSE(error_);
}

TEST_F(AgentClientTest, ACommandHearsAndAnswersInOrder) {
  Spawn(Talk(this, "i"));
  ASSERT_TRUE(on_.WaitUntil([this] { return done_; }));
  EXPECT_EQ(lines_, (std::vector<std::string>{"", "one", "two", "three", "11"}));
  EXPECT_FALSE(error_);
}

TEST_F(AgentClientTest, ACommandThatCannotBeRunSaysWhy) {
  Spawn(Talk(this, "gone"));
  ASSERT_TRUE(on_.WaitUntil([this] { return done_; }));
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, Code::kNotFound);
  EXPECT_EQ(error_->message, "no such instance");
}

TEST_F(AgentClientTest, ACommandIsToldThatNobodyListensAnyMore) {
  std::optional<AgentClient::ExecStream> stream;
  on_.Call([this, &stream] {
    stream.emplace(client_->Exec());
    scope_->Spawn(WaitForOutput(this, &*stream));
  });
  ASSERT_TRUE(on_.WaitUntil([this] { return started_; }));
  on_.Call([&stream] { stream->Cancel(); });
  ASSERT_TRUE(on_.WaitUntil([this] { return done_; }));
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, Code::kCancelled);
  EXPECT_TRUE(on_.WaitUntil([this] { return agent_.cancelled.load(); }));
  on_.Call([&stream] { stream.reset(); });
}

TEST_F(AgentClientTest, SaysThatThereIsNoSuchLog) {
  Spawn(ReadAll(this, "gone", 100));
  ASSERT_TRUE(on_.WaitUntil([this] { return done_; }));
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, Code::kNotFound);
}

TEST_F(AgentClientTest, AReaderThatLeavesEndsTheCall) {
  agent_.follow_for_ever = true;
  Spawn(ReadAll(this, "i", 5));
  ASSERT_TRUE(on_.WaitUntil([this] { return done_; }));
  EXPECT_EQ(lines_.size(), 5U);
  EXPECT_TRUE(on_.WaitUntil([this] { return agent_.cancelled.load(); }));
}

TEST_F(AgentClientTest, CancelWakesTheOneWhoWaits) {
  agent_.hold = true;
  std::optional<LogReader> reader;
  on_.Call([this, &reader] {
    reader.emplace(client_->ReadLogs({}));
    scope_->Spawn(ReadNext(this, &*reader));
  });
  on_.Call([&reader] { reader->Cancel(); });
  ASSERT_TRUE(on_.WaitUntil([this] { return done_; }));
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->code, Code::kCancelled);
  on_.Call([&reader] { reader.reset(); });
}

TEST_F(AgentClientTest, AReaderThatIsDestroyedWhileItWaitsEndsTheCall) {
  agent_.follow_for_ever = true;
  Spawn(ReadAll(this, "i", SIZE_MAX));
  ASSERT_TRUE(on_.WaitUntil([this] { return lines_.size() > 3; }));
  on_.Call([this] { scope_ = std::make_unique<http::Scope>(); });
  EXPECT_TRUE(on_.WaitUntil([this] { return agent_.cancelled.load(); }));
}

}  // namespace
}  // namespace updraft::controller

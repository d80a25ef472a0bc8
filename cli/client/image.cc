#include "cli/client/image.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/client/progress.h"
#include "cli/client/table.h"
#include "core/base/clock.h"
#include "core/base/grpc_status.h"
#include "core/base/loop.h"
#include "updraft/v1/node.grpc.pb.h"

namespace updraft::cli {
namespace {

constexpr size_t kPieceBytes = 256 << 10;
constexpr Nanos kLoadDeadline = std::chrono::hours(1);
constexpr Nanos kCallDeadline = Seconds(30);
constexpr size_t kShortDigest = 19;  // "sha256:" and twelve digits

std::unique_ptr<v1::AgentService::Stub> Connect(const std::string& agent) {
  return v1::AgentService::NewStub(grpc::CreateChannel(agent, grpc::InsecureChannelCredentials()));
}

int FailWith(const Console& console, const std::string& agent, const grpc::Status& status) {
  const bool away = status.error_code() == grpc::StatusCode::UNAVAILABLE;
  return Fail(console,
              away ? Context("no node-agent at " + agent, FromGrpc(status)) : FromGrpc(status));
}

std::chrono::system_clock::time_point DeadlineIn(Nanos wait) { return RealClock().Wall() + wait; }

using LoadStream = grpc::ClientReaderWriter<v1::LoadImageRequest, v1::LoadImageProgress>;

// Sends the file in pieces; stops early when the agent has ended the call.
void SendFile(LoadStream& stream, std::istream& in, const v1::LoadImageRequest& header) {
  if (!stream.Write(header)) return;
  std::string piece(kPieceBytes, '\0');
  while (in) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (in.gcount() == 0) break;
    v1::LoadImageRequest part;
    part.set_data(piece.data(), static_cast<size_t>(in.gcount()));
    if (!stream.Write(part)) return;
  }
  stream.WritesDone();
}

std::string Megabytes(int64_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text.data();
}

}  // namespace

int LoadImage(const Console& console, const std::string& agent, const ImageArchive& archive) {
  const bool from_input = archive.file == "-";
  std::error_code error;
  const auto size =
      from_input ? 0 : static_cast<int64_t>(std::filesystem::file_size(archive.file, error));
  std::ifstream file;
  if (!from_input) file.open(archive.file, std::ios::binary);
  if (error || !file) {
    return Fail(console, {Code::kNotFound,
                          archive.file + ": " + (error ? error.message() : "cannot be read")});
  }
  const auto stub = Connect(agent);
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(kLoadDeadline));
  const std::unique_ptr<LoadStream> stream = stub->LoadImage(&context);

  v1::LoadImageRequest header;
  header.mutable_header()->set_file_name(
      from_input ? "standard input" : std::filesystem::path(archive.file).filename().string());
  header.mutable_header()->set_size_bytes(size);
  header.mutable_header()->set_reference(archive.reference);
  v1::LoadImageProgress progress;
  {
    // Sending and hearing of progress at the same time, so that neither waits for the other.
    std::istream& bytes = from_input ? console.in : file;
    const NamedThread sender("send",
                             [&stream, &bytes, &header] { SendFile(*stream, bytes, header); });
    ProgressBar bar(console.err, isatty(STDERR_FILENO) != 0, size);
    while (stream->Read(&progress)) bar.Show(progress.bytes_done(), progress.step());
  }
  const grpc::Status status = stream->Finish();
  if (!status.ok()) return FailWith(console, agent, status);
  for (const std::string& loaded : progress.references())
    console.out << "loaded " << loaded << "\n";
  return 0;
}

int ListImages(const Console& console, const std::string& agent) {
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(kCallDeadline));
  v1::ListImagesResponse response;
  const grpc::Status status = Connect(agent)->ListImages(&context, {}, &response);
  if (!status.ok()) return FailWith(console, agent, status);
  std::vector<TableRow> rows = {{"IMAGE", "DIGEST", "SIZE", "FROM"}};
  for (const v1::Image& image : response.images()) {
    rows.push_back({image.reference(), image.digest().substr(0, kShortDigest),
                    Megabytes(image.size_bytes()), image.loaded() ? "archive" : "registry"});
  }
  console.out << FormatTable(rows);
  return 0;
}

int RemoveImage(const Console& console, const std::string& agent, const std::string& reference) {
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(kCallDeadline));
  v1::RemoveImageRequest request;
  request.set_reference(reference);
  v1::RemoveImageResponse response;
  const grpc::Status status = Connect(agent)->RemoveImage(&context, request, &response);
  if (!status.ok()) return FailWith(console, agent, status);
  console.out << "removed " << reference << "\n";
  return 0;
}

}  // namespace updraft::cli

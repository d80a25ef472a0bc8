#include "node-agent/image/archive_loader.h"

#include "core/base/log.h"
#include "node-agent/image/archive_reader.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kQueueBytesMax = 8 << 20;

}  // namespace

ArchiveLoader::ArchiveLoader(ImageEngine& engine, ArchiveOrder order, ProgressSink progress,
                             Loaded loaded)
    : engine_(engine),
      order_(std::move(order)),
      loaded_(std::move(loaded)),
      meter_(RealClock(), std::move(progress)),
      bytes_(kQueueBytesMax),
      thread_("image-load", [this] { Run(); }) {}

ArchiveLoader::~ArchiveLoader() {
  cancel_.Cancel();
  bytes_.Fail({Code::kCancelled, "cancelled"});
}

void ArchiveLoader::Finish(Done done) {
  std::optional<Result<std::vector<std::string>>> result;
  {
    const std::lock_guard lock(mutex_);
    result = result_;
    if (!result.has_value()) done_ = std::move(done);
  }
  bytes_.End();
  if (result.has_value()) done(*result);
}

void ArchiveLoader::Run() {
  auto result = Load();
  if (!result) bytes_.Fail(result.error());
  Done done;
  {
    const std::lock_guard lock(mutex_);
    result_ = result;
    done = std::exchange(done_, nullptr);
  }
  if (done) done(std::move(result));
}

Result<std::vector<std::string>> ArchiveLoader::Load() {
  meter_.Expect(order_.size_bytes);
  meter_.Step("reading");
  const WallTime now = RealClock().Wall();
  const auto lease =
      WorkLease::Take(engine_.ScopeFor(cancel_), "load-" + std::to_string(UnixNanos(now)), now);
  if (!lease) return lease.error();
  auto names = LoadHeld(*lease);
  lease->Release();
  if (names) {
    Log(Level::kInfo, "archive_loaded", {{"file", order_.file_name}, {"images", names->size()}});
  } else {
    Log(Level::kWarn, "archive_not_loaded",
        {{"file", order_.file_name}, {"error", names.error().message}});
  }
  return names;
}

Result<std::vector<std::string>> ArchiveLoader::LoadHeld(const WorkLease& lease) {
  const ContentStore store(lease.scope());
  const auto contents = ReadArchive(bytes_, store, meter_);
  if (cancel_.cancelled()) return Error{Code::kCancelled, "cancelled"};
  if (!contents) return contents.error();
  const auto images = ImagesOf(
      *contents, {.reference = order_.reference, .file_name = order_.file_name}, engine_.host());
  if (!images) return images.error();
  std::vector<std::string> names;
  for (const ArchiveImage& image : *images) {
    if (!image.manifest.empty()) {
      const Status put = store.Put(image.root.digest, image.manifest, {});
      if (!put) return put.error();
    }
    auto known =
        engine_.Install({.root = image.root, .names = image.names, .loaded = true}, lease, meter_);
    if (!known) return known.error();
    names.insert(names.end(), image.names.begin(), image.names.end());
    loaded_(std::move(known).value());
  }
  return names;
}

}  // namespace updraft::node_agent

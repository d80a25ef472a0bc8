#include "tests/integration/image/image_lab.h"

#include <github.com/containerd/containerd/api/services/content/v1/content.grpc.pb.h>
#include <github.com/containerd/containerd/api/services/leases/v1/leases.grpc.pb.h>
#include <github.com/containerd/containerd/api/services/snapshots/v1/snapshots.grpc.pb.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include "core/base/check.h"

namespace updraft::node_agent {

namespace content = containerd::services::content::v1;
namespace leases = containerd::services::leases::v1;
namespace snapshots = containerd::services::snapshots::v1;

namespace {

constexpr char kConfig[] = R"(version = 2
root = "DIR/root"
state = "DIR/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "DIR/containerd.sock"
[ttrpc]
  address = "DIR/containerd.sock.ttrpc"
)";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

std::string ImageLab::Obstacle() {
  if (geteuid() != 0) return "root is needed";
  if (access("/usr/bin/containerd", X_OK) != 0) return "containerd is not installed";
  return "";
}

ImageLab::ImageLab(size_t disk_bytes) {
  std::string pattern = "/tmp/updraft-image-XXXXXX";
  UPDRAFT_CHECK(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  std::filesystem::create_directories(folder_ + "/root");
  if (disk_bytes > 0) {
    const std::string size = "size=" + std::to_string(disk_bytes);
    UPDRAFT_CHECK(mount("tmpfs", (folder_ + "/root").c_str(), "tmpfs", 0, size.c_str()) == 0);
    mounted_ = true;
  }
  std::ofstream(folder_ + "/config.toml") << Replaced(kConfig, "DIR", folder_);
  client_ = std::make_unique<ContainerdClient>(
      loop_.loop(), ContainerdOptions{.address = "unix:" + folder_ + "/containerd.sock"});
  StartContainerd();
}

ImageLab::~ImageLab() {
  client_.reset();
  containerd_.reset();
  if (mounted_) umount2((folder_ + "/root").c_str(), MNT_DETACH);
  std::filesystem::remove_all(folder_);
}

void ImageLab::StartContainerd() {
  unlink((folder_ + "/containerd.sock").c_str());
  containerd_ = std::make_unique<Daemon>(
      std::vector<std::string>{"containerd", "--config", folder_ + "/config.toml"},
      folder_ + "/containerd.log");
  UPDRAFT_CHECK(AwaitUnix(folder_ + "/containerd.sock"));
}

void ImageLab::CollectGarbage() {
  // Deleting a lease synchronously is how containerd is asked for it.
  const auto stub = leases::Leases::NewStub(client_->channel());
  const ContainerdScope scope{.client = client_.get()};
  ContainerdCall create_call(scope);
  leases::CreateRequest create;
  leases::CreateResponse created;
  create.set_id("collect");
  UPDRAFT_CHECK(stub->Create(create_call.context(), create, &created).ok());
  ContainerdCall delete_call(scope);
  leases::DeleteRequest request;
  google::protobuf::Empty nothing;
  request.set_id("collect");
  request.set_sync(true);
  UPDRAFT_CHECK(stub->Delete(delete_call.context(), request, &nothing).ok());
}

std::vector<std::string> ImageLab::Blobs() {
  const auto stub = content::Content::NewStub(client_->channel());
  ContainerdCall call(ContainerdScope{.client = client_.get()});
  const auto reader = stub->List(call.context(), content::ListContentRequest());
  content::ListContentResponse part;
  std::vector<std::string> digests;
  while (reader->Read(&part)) {
    for (const auto& info : part.info()) digests.push_back(info.digest());
  }
  UPDRAFT_CHECK(reader->Finish().ok());
  return digests;
}

std::vector<std::string> ImageLab::Snapshots() {
  const auto stub = snapshots::Snapshots::NewStub(client_->channel());
  ContainerdCall call(ContainerdScope{.client = client_.get()});
  snapshots::ListSnapshotsRequest request;
  request.set_snapshotter("overlayfs");
  const auto reader = stub->List(call.context(), request);
  snapshots::ListSnapshotsResponse part;
  std::vector<std::string> names;
  while (reader->Read(&part)) {
    for (const auto& info : part.info()) names.push_back(info.name());
  }
  UPDRAFT_CHECK(reader->Finish().ok());
  return names;
}

std::vector<std::string> ImageLab::Leases() {
  const auto stub = leases::Leases::NewStub(client_->channel());
  ContainerdCall call(ContainerdScope{.client = client_.get()});
  leases::ListResponse response;
  UPDRAFT_CHECK(stub->List(call.context(), leases::ListRequest(), &response).ok());
  std::vector<std::string> ids;
  for (const auto& lease : response.leases()) ids.push_back(lease.id());
  return ids;
}

int64_t ImageLab::IngestedBytes(const std::string& ref) {
  const auto stub = content::Content::NewStub(client_->channel());
  ContainerdCall call(ContainerdScope{.client = client_.get()});
  content::StatusRequest request;
  content::StatusResponse response;
  request.set_ref(ref);
  return stub->Status(call.context(), request, &response).ok() ? response.status().offset() : -1;
}

std::string ImageLab::ReadFile(const std::string& snapshot, const std::string& path) {
  const auto stub = snapshots::Snapshots::NewStub(client_->channel());
  const ContainerdScope scope{.client = client_.get()};
  ContainerdCall view_call(scope);
  snapshots::ViewSnapshotRequest view;
  snapshots::ViewSnapshotResponse viewed;
  view.set_snapshotter("overlayfs");
  view.set_key("look");
  view.set_parent(snapshot);
  view.mutable_labels()->insert(
      {"containerd.io/gc.root", "test"});  // a collection may be under way
  UPDRAFT_CHECK(stub->View(view_call.context(), view, &viewed).ok());
  const auto& mount = viewed.mounts(0);
  std::string folders = mount.source();
  for (const std::string& option : mount.options()) {
    if (option.starts_with("lowerdir=")) folders = option.substr(9);
  }
  std::istringstream list(folders);
  std::ostringstream text;
  for (std::string folder; std::getline(list, folder, ':');) {
    std::ifstream file(folder + "/" + path, std::ios::binary);
    if (!file) continue;
    text << file.rdbuf();
    break;
  }
  ContainerdCall remove_call(scope);
  snapshots::RemoveSnapshotRequest remove;
  google::protobuf::Empty nothing;
  remove.set_snapshotter("overlayfs");
  remove.set_key("look");
  UPDRAFT_CHECK(stub->Remove(remove_call.context(), remove, &nothing).ok());
  return text.str();
}

void ImageLab::Clear() {
  const ContainerdScope scope{.client = client_.get()};
  const auto records = ListImageRecords(scope);
  UPDRAFT_CHECK(records.has_value());
  for (const ImageRecord& record : *records) {
    UPDRAFT_CHECK(DeleteImageRecord(scope, record.name).has_value());
  }
  const auto stub = leases::Leases::NewStub(client_->channel());
  for (const std::string& id : Leases()) {
    ContainerdCall call(scope);
    leases::DeleteRequest request;
    google::protobuf::Empty nothing;
    request.set_id(id);
    UPDRAFT_CHECK(stub->Delete(call.context(), request, &nothing).ok());
  }
  CollectGarbage();
}

TestStore::TestStore(ImageLab& lab, RegistriesConfig registries) : lab_(lab) {
  ImageStore::Options options;
  options.engine.registries = std::move(registries);
  options.engine.retry = {.tries_max = 4, .backoff = {.first = Millis(5), .most = Millis(20)}};
  std::promise<void> made;
  lab_.loop().Post([&] {
    store_ = std::make_unique<ImageStore>(lab_.loop(), lab_.client(), options);
    made.set_value();
  });
  made.get_future().wait();
}

TestStore::~TestStore() {
  std::promise<void> gone;
  lab_.loop().Post([&] {
    store_.reset();
    gone.set_value();
  });
  gone.get_future().wait();
}

template <typename T>
T TestStore::OnLoop(std::function<T(ImageStore&)> body) {
  std::promise<T> answer;
  lab_.loop().Post([&] { answer.set_value(body(*store_)); });
  return answer.get_future().get();
}

Result<std::shared_ptr<const UnpackedImage>> TestStore::Ensure(ImageRequest request) {
  std::promise<Result<std::shared_ptr<const UnpackedImage>>> answer;
  Begin(std::move(request), [&answer](auto result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

void TestStore::Begin(ImageRequest request, ImageStore::Done done, ProgressSink progress) {
  lab_.loop().Post([this, request = std::move(request), done = std::move(done),
                    progress = std::move(progress)] { store_->Ensure(request, done, progress); });
}

std::shared_ptr<const UnpackedImage> TestStore::Find(const ImageRequest& request) {
  return OnLoop<std::shared_ptr<const UnpackedImage>>(
      [&request](ImageStore& store) { return store.Find(request); });
}

Result<std::string> TestStore::Resolve(const std::string& image,
                                       std::vector<RegistryCredential> auth) {
  std::promise<Result<std::string>> answer;
  lab_.loop().Post([&] {
    store_->Resolve(image, auth,
                    [&answer](Result<std::string> digest) { answer.set_value(std::move(digest)); });
  });
  return answer.get_future().get();
}

Status TestStore::Remove(const std::string& image) {
  std::promise<Status> answer;
  lab_.loop().Post([&] {
    store_->Remove(image, [&answer](Status status) { answer.set_value(std::move(status)); });
  });
  return answer.get_future().get();
}

std::vector<ImageEntry> TestStore::List() {
  return OnLoop<std::vector<ImageEntry>>([](ImageStore& store) { return store.List(); });
}

void TestStore::Forget(const std::string& digest) {
  OnLoop<bool>([&digest](ImageStore& store) {
    store.Forget(digest);
    return true;
  });
}

void TestStore::AwaitReady() {
  const TimePoint deadline = RealClock().Now() + Seconds(10);
  while (!OnLoop<bool>([](ImageStore& store) { return store.ready(); })) {
    UPDRAFT_CHECK(RealClock().Now() < deadline);
    sched_yield();
  }
}

std::unique_ptr<ArchiveLoader> TestStore::Loader(ArchiveOrder order) {
  std::promise<std::unique_ptr<ArchiveLoader>> loader;
  lab_.loop().Post([&] { loader.set_value(store_->Load(order, {})); });
  return loader.get_future().get();
}

Result<std::vector<std::string>> TestStore::Load(const std::string& archive, ArchiveOrder order,
                                                 size_t chunk, ProgressSink progress) {
  std::promise<std::unique_ptr<ArchiveLoader>> made;
  lab_.loop().Post([&] { made.set_value(store_->Load(order, progress)); });
  const auto loader = made.get_future().get();
  for (size_t at = 0; at < archive.size(); at += chunk) {
    std::promise<bool> more;
    loader->Write(archive.substr(at, chunk),
                  [&more](const Status& status) { more.set_value(status.has_value()); });
    if (!more.get_future().get()) break;
  }
  std::promise<Result<std::vector<std::string>>> done;
  loader->Finish(
      [&done](Result<std::vector<std::string>> names) { done.set_value(std::move(names)); });
  auto names = done.get_future().get();
  // What was loaded has been posted to the loop: let it run.
  OnLoop<bool>([](ImageStore&) { return true; });
  return names;
}

}  // namespace updraft::node_agent

#include "node-agent/containerd/containerd_runtime.h"

#include <signal.h>

#include <utility>

#include "github.com/containerd/containerd/api/services/containers/v1/containers.grpc.pb.h"
#include "github.com/containerd/containerd/api/services/snapshots/v1/snapshots.grpc.pb.h"
#include "github.com/containerd/containerd/api/services/tasks/v1/tasks.grpc.pb.h"
#include "github.com/containerd/containerd/api/services/version/v1/version.grpc.pb.h"
#include "github.com/containerd/containerd/runtime/v2/runc/options/oci.pb.h"

namespace updraft::node_agent {
namespace {

namespace containers = ::containerd::services::containers::v1;
namespace snapshots = ::containerd::services::snapshots::v1;
namespace tasks = ::containerd::services::tasks::v1;
namespace version = ::containerd::services::version::v1;
using google::protobuf::Empty;

using ContainersCalls = containers::Containers::StubInterface::async_interface;
using SnapshotsCalls = snapshots::Snapshots::StubInterface::async_interface;
using TasksCalls = tasks::Tasks::StubInterface::async_interface;

// Metadata calls take a millisecond; those that execute the OCI runtime queue behind each other when the
// machine is busy.
constexpr CallOptions kMetadata = {.deadline = Seconds(10)};
constexpr CallOptions kExecutes = {.deadline = Seconds(60)};
constexpr CallOptions kListing = {.deadline = Seconds(30)};
constexpr Nanos kDeathWait = Seconds(10);  // between SIGKILL and the end of the process

constexpr char kSpecType[] = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
constexpr char kProcessType[] = "types.containerd.io/opencontainers/runtime-spec/1/Process";
constexpr char kExtensionType[] = "updraft.dev/bytes";
// Kept until we remove it, whatever containerd's garbage collector thinks: needs no lease.
constexpr char kRootLabel[] = "containerd.io/gc.root";
constexpr char kOwnerLabel[] = "updraft.dev/owner";
constexpr char kOwner[] = "instance";

WallTime ToWall(const google::protobuf::Timestamp& time) {
  return FromUnixNanos(time.seconds() * 1'000'000'000 + time.nanos());
}

// For calls whose answer is empty. `what` is put before the error.
template <typename Response>
std::function<void(Result<Response>)> Simply(std::string what, ContainerRuntime::Done done) {
  return [what = std::move(what), done = std::move(done)](const Result<Response>& response) {
    if (response) {
      done(Ok());
    } else {
      done(Context(what, response.error()));
    }
  };
}

// As Simply(), for removals: what is not there has been removed.
template <typename Response>
std::function<void(Result<Response>)> Removed(std::string what, ContainerRuntime::Done done) {
  return [what = std::move(what), done = std::move(done)](const Result<Response>& response) {
    if (response || response.error().code == Code::kNotFound) {
      done(Ok());
    } else {
      done(Context(what, response.error()));
    }
  };
}

std::string SerializedOptions(const ContainerdRuntimeOptions& options) {
  ::containerd::runc::v1::Options message;
  message.set_binary_name(options.runtime_binary);
  message.set_root(options.runtime_root);
  return message.SerializeAsString();
}

ContainerRecord FromProto(containers::Container container) {
  ContainerRecord record;
  record.id = container.id();
  record.labels = {container.labels().begin(), container.labels().end()};
  record.image = container.image();
  record.snapshot_key = container.snapshot_key();
  record.oci_spec = std::move(*container.mutable_spec()->mutable_value());
  for (auto& [name, any] : *container.mutable_extensions()) {
    record.extensions.emplace(name, std::move(*any.mutable_value()));
  }
  record.created_at = ToWall(container.created_at());
  return record;
}

TaskStatus FromProto(::containerd::v1::types::Status status) {
  switch (status) {
    case ::containerd::v1::types::CREATED:
      return TaskStatus::kCreated;
    case ::containerd::v1::types::RUNNING:
      return TaskStatus::kRunning;
    case ::containerd::v1::types::STOPPED:
      return TaskStatus::kStopped;
    case ::containerd::v1::types::PAUSED:
    case ::containerd::v1::types::PAUSING:
      return TaskStatus::kPaused;
    default:
      return TaskStatus::kUnknown;
  }
}

TaskState FromProto(const ::containerd::v1::types::Process& process) {
  // List names the task by `id`; container_id is only set for a process that was exec'd into it.
  return {.container_id = process.container_id().empty() ? process.id() : process.container_id(),
          .pid = process.pid(),
          .status = FromProto(process.status()),
          .exit_status = process.exit_status(),
          .exited_at = ToWall(process.exited_at())};
}

}  // namespace

struct ContainerdRuntime::Stubs {
  explicit Stubs(const std::shared_ptr<grpc::Channel>& channel)
      : containers(containers::Containers::NewStub(channel)),
        snapshots(snapshots::Snapshots::NewStub(channel)),
        tasks(tasks::Tasks::NewStub(channel)),
        version(version::Version::NewStub(channel)) {}

  const std::unique_ptr<containers::Containers::Stub> containers;
  const std::unique_ptr<snapshots::Snapshots::Stub> snapshots;
  const std::unique_ptr<tasks::Tasks::Stub> tasks;
  const std::unique_ptr<version::Version::Stub> version;
};

struct ContainerdRuntime::Listing {
  uint64_t connection = 0;
  RuntimeContents contents;
};

ContainerdRuntime::ContainerdRuntime(ContainerdClient& client, ContainerdRuntimeOptions options)
    : client_(client),
      options_(std::move(options)),
      runtime_options_(SerializedOptions(options_)),
      stubs_(std::make_unique<Stubs>(client.channel())),
      feed_(client, options_.containerd_namespace,
            {.connected = [this] { List(); },
             .lost =
                 [this](const Error& why) {
                   ++connection_;
                   observer_->OnRuntimeLost(why);
                 },
             .exit = [this](const TaskExit& exit) { observer_->OnTaskExit(exit); },
             .out_of_memory = [this](const std::string& id) { observer_->OnTaskOutOfMemory(id); }}) {}

ContainerdRuntime::~ContainerdRuntime() { *alive_ = false; }

void ContainerdRuntime::Version(DoneWith<std::string> done) {
  client_.Call(stubs_->version->async(), &version::Version::StubInterface::async_interface::Version, Empty(),
               {.deadline = Seconds(2)}, [done = std::move(done)](const Result<version::VersionResponse>& response) {
                 if (response) {
                   done(response->version());
                 } else {
                   done(response.error());
                 }
               });
}

void ContainerdRuntime::Observe(RuntimeObserver* observer) {
  observer_ = observer;
  feed_.Start();
}

// Containers, then tasks, then snapshots. A listing that fails is tried again as long as the connection holds.
void ContainerdRuntime::List() {
  auto listing = std::make_shared<Listing>();
  listing->connection = ++connection_;
  client_.Stream(
      stubs_->containers->async(), &ContainersCalls::ListStream, containers::ListContainersRequest(), kListing,
      [listing](containers::ListContainerMessage message) {
        listing->contents.containers.push_back(FromProto(std::move(*message.mutable_container())));
      },
      [this, alive = alive_, listing](const Status& listed) {
        if (!*alive || listing->connection != connection_) return;
        if (!listed) return List();
        client_.Call(stubs_->tasks->async(), &TasksCalls::List, tasks::ListTasksRequest(), kListing,
                     [this, alive, listing](const Result<tasks::ListTasksResponse>& response) {
                       if (!*alive || listing->connection != connection_) return;
                       if (!response) return List();
                       for (const auto& process : response->tasks()) {
                         listing->contents.tasks.push_back(FromProto(process));
                       }
                       ListSnapshots(listing);
                     });
      });
}

void ContainerdRuntime::ListSnapshots(std::shared_ptr<Listing> listing) {
  snapshots::ListSnapshotsRequest request;
  request.set_snapshotter(options_.snapshotter);
  request.add_filters(std::string("labels.\"") + kOwnerLabel + "\"==" + kOwner);
  client_.Stream(
      stubs_->snapshots->async(), &SnapshotsCalls::List, std::move(request), kListing,
      [listing](const snapshots::ListSnapshotsResponse& response) {
        for (const snapshots::Info& info : response.info()) listing->contents.snapshots.push_back(info.name());
      },
      [this, alive = alive_, listing](const Status& listed) {
        if (!*alive || listing->connection != connection_) return;
        if (!listed) return List();
        observer_->OnRuntimeConnected(std::move(listing->contents));
      });
}

void ContainerdRuntime::PrepareSnapshot(const std::string& key, const std::string& parent,
                                        DoneWith<std::vector<SnapshotMount>> done) {
  snapshots::PrepareSnapshotRequest request;
  request.set_snapshotter(options_.snapshotter);
  request.set_key(key);
  request.set_parent(parent);
  (*request.mutable_labels())[kRootLabel] = std::to_string(UnixNanos(RealClock().Wall()));
  (*request.mutable_labels())[kOwnerLabel] = kOwner;
  client_.Call(stubs_->snapshots->async(), &SnapshotsCalls::Prepare, std::move(request), kMetadata,
               [done = std::move(done)](const Result<snapshots::PrepareSnapshotResponse>& response) {
                 if (!response) return done(Context("prepare snapshot", response.error()));
                 std::vector<SnapshotMount> mounts;
                 for (const auto& mount : response->mounts()) {
                   mounts.push_back({.type = mount.type(),
                                     .source = mount.source(),
                                     .options = {mount.options().begin(), mount.options().end()}});
                 }
                 done(std::move(mounts));
               });
}

void ContainerdRuntime::RemoveSnapshot(const std::string& key, Done done) {
  snapshots::RemoveSnapshotRequest request;
  request.set_snapshotter(options_.snapshotter);
  request.set_key(key);
  client_.Call(stubs_->snapshots->async(), &SnapshotsCalls::Remove, std::move(request), kMetadata,
               Removed<Empty>("remove snapshot", std::move(done)));
}

void ContainerdRuntime::CreateContainer(const ContainerRecord& record, Done done) {
  containers::CreateContainerRequest request;
  containers::Container& container = *request.mutable_container();
  container.set_id(record.id);
  container.mutable_labels()->insert(record.labels.begin(), record.labels.end());
  container.set_image(record.image);
  container.mutable_runtime()->set_name(options_.runtime);
  container.mutable_runtime()->mutable_options()->set_type_url("containerd.runc.v1.Options");
  container.mutable_runtime()->mutable_options()->set_value(runtime_options_);
  container.mutable_spec()->set_type_url(kSpecType);
  container.mutable_spec()->set_value(record.oci_spec);
  container.set_snapshotter(options_.snapshotter);
  container.set_snapshot_key(record.snapshot_key);
  for (const auto& [name, bytes] : record.extensions) {
    google::protobuf::Any& extension = (*container.mutable_extensions())[name];
    extension.set_type_url(kExtensionType);
    extension.set_value(bytes);
  }
  client_.Call(stubs_->containers->async(), &ContainersCalls::Create, std::move(request), kMetadata,
               Simply<containers::CreateContainerResponse>("create container", std::move(done)));
}

void ContainerdRuntime::SetLabel(const std::string& container_id, const std::string& key, const std::string& value,
                                 Done done) {
  containers::UpdateContainerRequest request;
  request.mutable_container()->set_id(container_id);
  (*request.mutable_container()->mutable_labels())[key] = value;
  request.mutable_update_mask()->add_paths("labels." + key);
  client_.Call(stubs_->containers->async(), &ContainersCalls::Update, std::move(request), kMetadata,
               Simply<containers::UpdateContainerResponse>("label container", std::move(done)));
}

void ContainerdRuntime::RemoveContainer(const std::string& container_id, Done done) {
  containers::DeleteContainerRequest request;
  request.set_id(container_id);
  client_.Call(stubs_->containers->async(), &ContainersCalls::Delete, std::move(request), kMetadata,
               Removed<Empty>("remove container", std::move(done)));
}

void ContainerdRuntime::ReadContainer(const std::string& container_id, DoneWith<ContainerRecord> done) {
  containers::GetContainerRequest request;
  request.set_id(container_id);
  client_.Call(stubs_->containers->async(), &ContainersCalls::Get, std::move(request), kMetadata,
               [done = std::move(done)](Result<containers::GetContainerResponse> response) {
                 if (!response) return done(Context("read container", response.error()));
                 done(FromProto(std::move(*response->mutable_container())));
               });
}

void ContainerdRuntime::CreateTask(const std::string& container_id, const std::vector<SnapshotMount>& root,
                                   const TaskStdio& stdio, DoneWith<uint32_t> done) {
  tasks::CreateTaskRequest request;
  request.set_container_id(container_id);
  for (const SnapshotMount& mount : root) {
    auto* added = request.add_rootfs();
    added->set_type(mount.type);
    added->set_source(mount.source);
    for (const std::string& option : mount.options) added->add_options(option);
  }
  request.set_stdout(stdio.standard_output);
  request.set_stderr(stdio.standard_error);
  client_.Call(stubs_->tasks->async(), &TasksCalls::Create, std::move(request), kExecutes,
               [done = std::move(done)](const Result<tasks::CreateTaskResponse>& response) {
                 if (!response) return done(Context("create task", response.error()));
                 done(response->pid());
               });
}

void ContainerdRuntime::StartTask(const std::string& container_id, Done done) {
  tasks::StartRequest request;
  request.set_container_id(container_id);
  client_.Call(stubs_->tasks->async(), &TasksCalls::Start, std::move(request), kExecutes,
               Simply<tasks::StartResponse>("start task", std::move(done)));
}

void ContainerdRuntime::SignalTask(const std::string& container_id, int signal, Done done) {
  tasks::KillRequest request;
  request.set_container_id(container_id);
  request.set_signal(static_cast<uint32_t>(signal));
  client_.Call(stubs_->tasks->async(), &TasksCalls::Kill, std::move(request), kMetadata,
               Simply<Empty>("signal task", std::move(done)));
}

void ContainerdRuntime::DeleteTask(const std::string& container_id, DoneWith<std::optional<TaskExit>> done) {
  tasks::DeleteTaskRequest request;
  request.set_container_id(container_id);
  client_.Call(stubs_->tasks->async(), &TasksCalls::Delete, std::move(request), kExecutes,
               [container_id, done = std::move(done)](const Result<tasks::DeleteResponse>& response) {
                 if (response) {
                   return done(std::optional(TaskExit{.container_id = container_id,
                                                      .exit_status = response->exit_status(),
                                                      .exited_at = ToWall(response->exited_at())}));
                 }
                 if (response.error().code == Code::kNotFound) return done(std::optional<TaskExit>());
                 done(Context("remove task", response.error()));
               });
}

// A task that runs, or that was created and never started, refuses to be deleted; the answer's code does not tell
// which of its reasons it was, so it is killed after any refusal.
void ContainerdRuntime::RemoveTask(const std::string& container_id, DoneWith<std::optional<TaskExit>> done) {
  DeleteTask(container_id, [this, alive = alive_, container_id, done](const Result<std::optional<TaskExit>>& deleted) {
    const bool refused = !deleted && deleted.error().code != Code::kUnavailable &&
                         deleted.error().code != Code::kDeadlineExceeded;
    if (!refused || !*alive) return done(deleted);
    SignalTask(container_id, SIGKILL, [this, alive, container_id, done](const Status&) {
      if (!*alive) return done(Error{Code::kCancelled, "shutting down"});
      tasks::WaitRequest request;
      request.set_container_id(container_id);
      client_.Call(stubs_->tasks->async(), &TasksCalls::Wait, std::move(request), {.deadline = kDeathWait},
                   [this, alive, container_id, done](const Result<tasks::WaitResponse>&) {
                     if (!*alive) return done(Error{Code::kCancelled, "shutting down"});
                     DeleteTask(container_id, done);
                   });
    });
  });
}

void ContainerdRuntime::StartExec(const std::string& container_id, const std::string& exec_id,
                                  const std::string& process, const TaskStdio& stdio, DoneWith<uint32_t> done) {
  tasks::ExecProcessRequest request;
  request.set_container_id(container_id);
  request.set_exec_id(exec_id);
  request.set_stdin(stdio.standard_input);
  request.set_stdout(stdio.standard_output);
  request.set_stderr(stdio.standard_error);
  request.set_terminal(stdio.terminal);
  request.mutable_spec()->set_type_url(kProcessType);
  request.mutable_spec()->set_value(process);
  client_.Call(stubs_->tasks->async(), &TasksCalls::Exec, std::move(request), kMetadata,
               [this, alive = alive_, container_id, exec_id, done](const Result<Empty>& added) {
                 if (!added) return done(Context("add exec", added.error()));
                 if (!*alive) return done(Error{Code::kCancelled, "shutting down"});
                 tasks::StartRequest start;
                 start.set_container_id(container_id);
                 start.set_exec_id(exec_id);
                 client_.Call(stubs_->tasks->async(), &TasksCalls::Start, std::move(start), kExecutes,
                              [done](const Result<tasks::StartResponse>& started) {
                                if (!started) return done(Context("start exec", started.error()));
                                done(started->pid());
                              });
               });
}

void ContainerdRuntime::CloseExecInput(const std::string& container_id, const std::string& exec_id, Done done) {
  tasks::CloseIORequest request;
  request.set_container_id(container_id);
  request.set_exec_id(exec_id);
  request.set_stdin(true);
  client_.Call(stubs_->tasks->async(), &TasksCalls::CloseIO, std::move(request), kMetadata,
               Simply<Empty>("close input", std::move(done)));
}

void ContainerdRuntime::ResizeExec(const std::string& container_id, const std::string& exec_id, TerminalSize size,
                                   Done done) {
  tasks::ResizePtyRequest request;
  request.set_container_id(container_id);
  request.set_exec_id(exec_id);
  request.set_width(size.columns);
  request.set_height(size.rows);
  client_.Call(stubs_->tasks->async(), &TasksCalls::ResizePty, std::move(request), kMetadata,
               Simply<Empty>("resize terminal", std::move(done)));
}

void ContainerdRuntime::KillExec(const std::string& container_id, const std::string& exec_id, Done done) {
  tasks::KillRequest request;
  request.set_container_id(container_id);
  request.set_exec_id(exec_id);
  request.set_signal(SIGKILL);
  client_.Call(stubs_->tasks->async(), &TasksCalls::Kill, std::move(request), kMetadata,
               Simply<Empty>("kill exec", std::move(done)));
}

void ContainerdRuntime::RemoveExec(const std::string& container_id, const std::string& exec_id, Done done) {
  tasks::DeleteProcessRequest request;
  request.set_container_id(container_id);
  request.set_exec_id(exec_id);
  client_.Call(stubs_->tasks->async(), &TasksCalls::DeleteProcess, std::move(request), kMetadata,
               Removed<tasks::DeleteResponse>("remove exec", std::move(done)));
}

}  // namespace updraft::node_agent

#include "node-agent/instance/live_run.h"

#include <utility>

#include "core/base/backoff.h"
#include "core/base/check.h"
#include "core/base/log.h"
#include "node-agent/instance/run_record.h"
#include "node-agent/spec/signals.h"

namespace updraft::node_agent {
namespace {

constexpr BackoffPolicy kRemovalRetry = {.first = Millis(100), .most = Seconds(5)};

bool HasExecProbe(const v1::Container& container) {
  return container.startup_probe().has_exec() || container.readiness_probe().has_exec() ||
         container.liveness_probe().has_exec();
}

}  // namespace

event::Blame BlameOf(const Error& error) {
  switch (error.code) {
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
    case Code::kCancelled:
    case Code::kResourceExhausted:
    case Code::kAlreadyExists:  // remains that were not known of: the removal before the next try takes them
    case Code::kNotFound:       // the image's snapshot went away, or the container did: it is made again
      return event::Blame::kMachine;
    default:
      return event::Blame::kContainer;
  }
}

LiveRun::LiveRun(RunTools tools, const InstanceMachine& machine, RunId run, Tell tell)
    : tools_(tools),
      machine_(machine),
      run_(run),
      id_(ContainerIdOf(machine.spec().instance_id(), run)),
      tell_(std::move(tell)) {}

LiveRun::~LiveRun() {
  *alive_ = false;
  tools_.loop.Cancel(retry_);
  if (ticket_ != 0) tools_.gate.Leave(ticket_);
  tools_.execs.Forget(id_);
}

LogKey LiveRun::log_key() const {
  return {.instance_id = machine_.spec().instance_id(),
          .container = machine_.container(run_.container).name(),
          .run = run_.run};
}

// Counts a call as under way and ends a removal's wait for it.
template <typename T>
std::function<void(Result<T>)> LiveRun::Answer(void (LiveRun::*then)(Result<T>)) {
  ++calls_;
  return [this, alive = alive_, then](Result<T> result) {
    if (!*alive) return;
    --calls_;
    if (!removing_) {
      (this->*then)(std::move(result));
    } else if (calls_ == 0) {
      TearDown();
    }
  };
}

void LiveRun::Adopt(const ContainerRecord& record) {
  stop_signal_ = StopSignalOf(record);
  snapshot_ = container_ = task_ = Step::kDone;
  if (HasExecProbe(machine_.container(run_.container))) tools_.execs.Register(id_, record.oci_spec);
  if (const auto stdio = tools_.logs.Open(log_key()); !stdio) {
    Log(Level::kWarn, "log_not_reopened", {{"container", id_}, {"error", stdio.error().message}});
  }
}

void LiveRun::PrepareRoot(const UsableImage& image) {
  image_ = image;
  stop_signal_ = ParseSignal(image.config.stop_signal).value_or(SIGTERM);
  snapshot_ = Step::kAsked;
  tools_.runtime.PrepareSnapshot(id_, image.root, Answer(&LiveRun::OnRoot));
}

void LiveRun::OnRoot(Result<std::vector<SnapshotMount>> root) {
  if (!root) {
    if (root.error().code == Code::kNotFound) tools_.images.Forget(image_);
    return Fail(BlameOf(root.error()), root.error().message);
  }
  snapshot_ = Step::kDone;
  root_ = std::move(*root);
  Continue();
}

void LiveRun::Create(const InstanceNetwork& network) {
  UPDRAFT_CHECK(snapshot_ != Step::kNone);
  network_ = network;
  create_wanted_ = true;
  Continue();
}

// Goes as far as what is at hand allows.
void LiveRun::Continue() {
  if (!create_wanted_ || failed_) return;
  if (container_ == Step::kNone) {
    if (!tools_.specs.Knows(image_)) {
      if (!root_) return;
      if (Status learned = tools_.specs.Learn(image_, *root_); !learned) {
        return Fail(event::Blame::kContainer, learned.error().message);
      }
    }
    MakeContainer();
  }
  if (failed_ || container_ != Step::kDone || !root_ || ticket_ != 0) return;
  claimed_ = tools_.clock.Wall();
  const AdmissionGate::Ticket ticket =
      tools_.gate.Enter(machine_.spec().namespace_() + "/" + machine_.spec().revision(), [this] { MakeTask(); });
  // It may have let us go, and we may have failed, before it told the ticket.
  if (failed_ || removing_) {
    tools_.gate.Leave(ticket);
  } else {
    ticket_ = ticket;
  }
}

void LiveRun::MakeContainer() {
  Result<RunSpec> spec = tools_.specs.Make({.instance = &machine_.spec(),
                                            .container = &machine_.container(run_.container),
                                            .container_id = id_,
                                            .image = &image_,
                                            .network = network_});
  if (!spec) {
    const bool config = spec.error().code == Code::kInvalidArgument || spec.error().code == Code::kFailedPrecondition;
    return Fail(config ? event::Blame::kConfig : BlameOf(spec.error()), spec.error().message);
  }
  ContainerRecord record = RecordOf(machine_, run_, stop_signal_);
  record.oci_spec = spec->oci.dump();
  pinned_ = std::move(spec->pinned);
  if (HasExecProbe(machine_.container(run_.container))) tools_.execs.Register(id_, record.oci_spec);
  container_ = Step::kAsked;
  tools_.runtime.CreateContainer(record, Answer(&LiveRun::OnContainer));
}

void LiveRun::OnContainer(Status created) {
  if (!created) return Fail(BlameOf(created.error()), created.error().message);
  container_ = Step::kDone;
  Continue();
}

void LiveRun::MakeTask() {
  const Result<TaskStdio> stdio = tools_.logs.Open(log_key());
  if (!stdio) return Fail(event::Blame::kMachine, stdio.error().message);
  task_ = Step::kAsked;
  tools_.runtime.CreateTask(id_, *root_, *stdio, Answer(&LiveRun::OnTask));
}

void LiveRun::OnTask(Result<uint32_t> created) {
  if (!created) return Fail(BlameOf(created.error()), created.error().message);
  task_ = Step::kDone;
  if (Status checked = CheckPinned(static_cast<pid_t>(*created), pinned_); !checked) {
    return Fail(event::Blame::kConfig, checked.error().message);
  }
  tell_(event::Created{.run = run_, .claimed = claimed_});
}

void LiveRun::Start() { tools_.runtime.StartTask(id_, Answer(&LiveRun::OnStarted)); }

void LiveRun::OnStarted(Status started) {
  tools_.gate.Leave(std::exchange(ticket_, 0));
  if (started) {
    tell_(event::Started{run_});
  } else {
    tell_(event::StartFailed{.run = run_, .blame = BlameOf(started.error()), .message = started.error().message});
  }
}

void LiveRun::Fail(event::Blame blame, const std::string& message) {
  if (std::exchange(failed_, true)) return;
  if (ticket_ != 0) tools_.gate.Leave(std::exchange(ticket_, 0));
  tell_(event::CreateFailed{.run = run_, .blame = blame, .message = message});
}

void LiveRun::Signal(int wanted) {
  const int signal = wanted == SIGTERM ? stop_signal_ : wanted;
  // A process that is gone has had its end told; any other failure is made up for by what follows the grace.
  tools_.runtime.SignalTask(id_, signal, [id = id_, signal](const Status& status) {
    if (status || status.error().code == Code::kNotFound) return;
    Log(Level::kWarn, "signal_failed", {{"container", id}, {"signal", signal}, {"error", status.error().message}});
  });
}

void LiveRun::Remove() {
  removing_ = true;
  tools_.execs.Forget(id_);
  // A start under way keeps its place until it is over; one that waits gives it up.
  if (ticket_ != 0 && calls_ == 0) tools_.gate.Leave(std::exchange(ticket_, 0));
  if (calls_ == 0) TearDown();
}

void LiveRun::TearDown() {
  retry_ = 0;
  if (ticket_ != 0) tools_.gate.Leave(std::exchange(ticket_, 0));
  if (task_ == Step::kNone) return RemoveRest();
  RemoveTask();
}

void LiveRun::RemoveTask() {
  tools_.runtime.RemoveTask(id_, [this, alive = alive_](const Result<std::optional<TaskExit>>& removed) {
    if (!*alive) return;
    if (!removed) return OnTornDown(removed.error());
    task_ = Step::kNone;
    tools_.logs.Finish(log_key(), [this, alive] {
      if (*alive) RemoveRest();
    });
  });
}

// The container's record goes last: as long as it is there, an agent that comes back knows what else is.
void LiveRun::RemoveRest() {
  const auto remove_container = [this, alive = alive_](const Status& status) {
    if (!*alive) return;
    if (!status) return OnTornDown(status);
    snapshot_ = Step::kNone;
    if (container_ == Step::kNone) return OnTornDown(Ok());
    tools_.runtime.RemoveContainer(id_, [this, alive](const Status& removed) {
      if (*alive) OnTornDown(removed);
    });
  };
  if (snapshot_ == Step::kNone) return remove_container(Ok());
  tools_.runtime.RemoveSnapshot(id_, remove_container);
}

void LiveRun::OnTornDown(const Status& status) {
  if (status) {
    const Tell tell = tell_;  // we are gone before it returns
    return tell(event::Removed{run_});
  }
  if (++removal_failures_ == 1) {
    Log(Level::kWarn, "removal_failed", {{"container", id_}, {"error", status.error().message}});
  }
  retry_ = tools_.loop.After(BackoffDelay(kRemovalRetry, removal_failures_, 1.0), [this] { TearDown(); });
}

}  // namespace updraft::node_agent

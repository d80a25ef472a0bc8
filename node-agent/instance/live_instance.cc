#include "node-agent/instance/live_instance.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/log.h"
#include "node-agent/instance/run_record.h"

namespace updraft::node_agent {
namespace {

constexpr uint32_t kKilledStatus = 128 + SIGKILL;
constexpr uint32_t kUnknownStatus = 255;  // as containerd says it

std::string ReasonOf(const Error& error) {
  if (error.code == Code::kInvalidArgument) return "InvalidImageName";
  if (error.code == Code::kFailedPrecondition) return "ErrImageNeverPull";
  return "ErrImagePull";
}

size_t PlacesOf(const v1::InstanceSpec& spec) {
  return static_cast<size_t>(spec.init_containers_size() + spec.containers_size());
}

}  // namespace

LiveInstance::LiveInstance(const InstanceTools& tools, std::shared_ptr<const v1::InstanceSpec> spec,
                           InstanceListener& listener)
    : tools_(tools), listener_(listener), machine_(spec, tools.restarts), places_(PlacesOf(*spec)) {
  tools_.run.logs.Begin(*spec);
}

LiveInstance::~LiveInstance() {
  *alive_ = false;
  tools_.run.loop.Cancel(timer_);
}

void LiveInstance::Adopt(const std::vector<AdoptedContainer>& containers,
                         const std::map<int, const ContainerRecord*>& records, const InstanceNetwork& network) {
  network_ = network;
  for (const AdoptedContainer& container : containers) {
    const RunId run{container.container, container.run};
    PlaceOf(run).run = NewRun(run);
    PlaceOf(run).run->Adopt(*records.at(container.container));
  }
  machine_.Adopt(containers, network.ip, {tools_.run.loop.Now(), tools_.run.clock.Wall()});
}

// Events that come up while one is handled wait for their turn.
void LiveInstance::Handle(Event event) {
  events_.push_back(std::move(event));
  if (std::exchange(handling_, true)) return;
  while (!events_.empty()) {
    const Event next = std::move(events_.front());
    events_.pop_front();
    const Moment at{tools_.run.loop.Now(), tools_.run.clock.Wall()};
    for (const Action& action : machine_.Handle(next, at)) CarryOut(action);
  }
  handling_ = false;
  SetTimer();
}

void LiveInstance::SetTimer() {
  const std::optional<TimePoint> wake = machine_.WakeAt();
  if (wake == timer_at_) return;
  tools_.run.loop.Cancel(std::exchange(timer_, 0));
  timer_at_ = wake;
  if (!wake) return;
  timer_ = tools_.run.loop.At(*wake, [this] {
    timer_ = 0;
    timer_at_.reset();
    Handle(event::Tick{});
  });
}

void LiveInstance::CarryOut(const Action& action) {
  std::visit([this](const auto& what) { Do(what); }, action);
}

// ---- actions

void LiveInstance::Do(const action::EnsureImage& action) {
  tools_.run.images.Ensure(machine_.spec(), machine_.container(action.container),
                       [this, alive = alive_, place = action.container](Result<UsableImage> image) {
                         if (!*alive) return;
                         if (!image) {
                           return Handle(event::ImageFailed{.container = place,
                                                            .reason = ReasonOf(image.error()),
                                                            .message = image.error().message});
                         }
                         places_[static_cast<size_t>(place)].image = std::move(*image);
                         Handle(event::ImageReady{place});
                       });
}

void LiveInstance::Do(const action::ClaimNetwork&) {
  tools_.networks.Claim(machine_.spec().instance_id(), [this, alive = alive_](const Result<InstanceNetwork>& network) {
    if (*alive) OnNetwork(network);
  });
}

void LiveInstance::OnNetwork(const Result<InstanceNetwork>& network) {
  if (!network) return Handle(event::NetworkFailed{network.error().message});
  if (Status written = tools_.files.Write(machine_.spec(), network->ip); !written) {
    tools_.networks.Release(machine_.spec().instance_id());
    return Handle(event::NetworkFailed{written.error().message});
  }
  network_ = *network;
  Handle(event::NetworkReady{network->ip});
}

std::unique_ptr<LiveRun> LiveInstance::NewRun(const RunId& run) {
  return std::make_unique<LiveRun>(tools_.run, machine_, run, [this](Event event) { Handle(std::move(event)); });
}

void LiveInstance::Do(const action::PrepareRoot& action) {
  Place& place = PlaceOf(action.run);
  UPDRAFT_CHECK(place.image.has_value());
  place.run = NewRun(action.run);
  place.out_of_memory = place.exit_told = false;
  place.run->PrepareRoot(*place.image);
}

void LiveInstance::Do(const action::Create& action) {
  UPDRAFT_CHECK(network_.has_value());
  PlaceOf(action.run).run->Create(*network_);
}

void LiveInstance::Do(const action::Start& action) {
  PlaceOf(action.run).run->Start();
  WatchPort(action.run);
}

void LiveInstance::WatchPort(const RunId& run) {
  Place& place = PlaceOf(run);
  const auto port = static_cast<uint16_t>(machine_.spec().port());
  if (run.container != machine_.serving() || port == 0 || place.watcher != nullptr) return;
  const Result<PeerAddress> peer = PeerAddress::Of(network_->ip, port);
  if (!peer) {
    Log(Level::kError, "bad_instance_address", {{"ip", network_->ip}, {"error", peer.error().message}});
    return;
  }
  place.watcher = std::make_unique<ListenWatcher>(tools_.run.loop, *peer, [this, run] { OnListening(run); });
}

void LiveInstance::OnListening(const RunId& run) {
  Handle(event::Listening{run});
  // The event may have ended the run; its prober is then gone too.
  if (Prober* prober = PlaceOf(run).prober.get()) prober->OnListening(static_cast<uint16_t>(machine_.spec().port()));
}

void LiveInstance::Do(const action::Probe& action) {
  Place& place = PlaceOf(action.run);
  WatchPort(action.run);
  const ProbeTarget target{.ip = network_->ip,
                           .serving_port = static_cast<uint16_t>(machine_.spec().port()),
                           .container_id = place.run->container_id()};
  place.prober = std::make_unique<Prober>(
      tools_.run.loop, tools_.probes, ProbesOf(machine_.container(action.run.container), target),
      tools_.run.loop.Now(), [this, run = action.run](const ProbeReport& report) {
        Handle(event::Health{.run = run, .health = report.health, .message = report.message});
      });
  if (place.prober->health().ready) {
    Handle(event::Health{.run = action.run, .health = place.prober->health(), .message = {}});
  }
}

void LiveInstance::Do(const action::Signal& action) { PlaceOf(action.run).run->Signal(action.signal); }

void LiveInstance::Do(const action::Remove& action) {
  Place& place = PlaceOf(action.run);
  // One of the two may be what told us of the reason: it allows to be destroyed from there.
  place.prober.reset();
  place.watcher.reset();
  place.run->Remove();
}

void LiveInstance::Do(const action::RememberReady& action) {
  tools_.run.runtime.SetLabel(PlaceOf(action.run).run->container_id(), kReadyLabel, "true", [](const Status&) {});
}

void LiveInstance::Do(const action::ReleaseNetwork&) {
  network_.reset();
  tools_.networks.Release(machine_.spec().instance_id());
}

void LiveInstance::Do(const action::Report&) { listener_.OnReport(machine_.report()); }

void LiveInstance::Do(const action::Forget&) {
  tools_.files.Remove(machine_.spec().instance_id());
  tools_.run.logs.End(machine_.spec().instance_id());
  listener_.OnOver(machine_.spec().instance_id());
}

// ---- what the runtime tells

LiveInstance::Place* LiveInstance::Find(const std::string& container_id) {
  for (Place& place : places_) {
    if (place.run != nullptr && place.run->container_id() == container_id) return &place;
  }
  return nullptr;
}

bool LiveInstance::Holds(const std::string& container_id) const {
  return std::ranges::any_of(places_, [&container_id](const Place& place) {
    return place.run != nullptr && place.run->container_id() == container_id;
  });
}

void LiveInstance::OnOutOfMemory(const std::string& container_id) {
  if (Place* place = Find(container_id)) place->out_of_memory = true;
}

std::optional<CgroupUsage> LiveInstance::Usage() const {
  std::optional<CgroupUsage> sum;
  for (size_t i = 0; i < places_.size(); ++i) {
    if (!places_[i].run || machine_.state(static_cast<int>(i)) != RunState::kRunning) continue;
    const auto usage = ReadCgroupUsage(tools_.cgroups, tools_.run.specs.CgroupOf(places_[i].run->container_id()));
    if (!usage) return std::nullopt;
    if (!sum) sum.emplace();
    sum->cpu_ns += usage->cpu_ns;
    sum->memory_bytes += usage->memory_bytes;
  }
  return sum;
}

void LiveInstance::OnTaskExit(const TaskExit& exit) {
  Place* place = Find(exit.container_id);
  if (place == nullptr || std::exchange(place->exit_told, true)) return;
  const RunId run = place->run->run();
  // Asked now: the cgroup goes with the task. Its counter is right where the event may be late.
  const bool killed_for_memory =
      exit.exit_status == kKilledStatus &&
      (place->out_of_memory || HadOutOfMemoryKill(tools_.cgroups, tools_.run.specs.CgroupOf(exit.container_id)));
  const bool from_log = exit.exit_status != 0 && machine_.container(run.container).termination_message_from_log();
  if (!from_log) return FinishExit(run, exit, killed_for_memory);
  tools_.run.logs.Finish(place->run->log_key(), [this, alive = alive_, run, exit, killed_for_memory] {
    if (*alive) FinishExit(run, exit, killed_for_memory);
  });
}

void LiveInstance::FinishExit(const RunId& run, const TaskExit& exit, bool out_of_memory) {
  Handle(event::Exited{.run = run,
                       .exit_status = exit.exit_status,
                       .out_of_memory = out_of_memory,
                       .message = ExitMessage(run, exit.exit_status != 0),
                       .finished = exit.exited_at});
}

std::string LiveInstance::ExitMessage(const RunId& run, bool failed) const {
  const v1::Container& container = machine_.container(run.container);
  std::string message = tools_.files.TerminationMessage(machine_.spec().instance_id(), container.name());
  if (!message.empty() || !failed || !container.termination_message_from_log()) return message;
  const Place& place = places_[static_cast<size_t>(run.container)];
  return tools_.run.logs.TerminationMessage(place.run->log_key());
}

void LiveInstance::CompareWith(const std::map<std::string, TaskState>& tasks) {
  for (size_t i = 0; i < places_.size(); ++i) {
    const RunState state = machine_.state(static_cast<int>(i));
    if (state != RunState::kRunning && state != RunState::kEnding) continue;
    const std::string& id = places_[i].run->container_id();
    const auto task = tasks.find(id);
    if (task == tasks.end()) {
      OnTaskExit({.container_id = id, .exit_status = kUnknownStatus, .exited_at = tools_.run.clock.Wall()});
    } else if (task->second.status == TaskStatus::kStopped) {
      OnTaskExit({.container_id = id, .exit_status = task->second.exit_status, .exited_at = task->second.exited_at});
    }
  }
}

}  // namespace updraft::node_agent

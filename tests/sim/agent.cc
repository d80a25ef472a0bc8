#include "tests/sim/agent.h"

#include <signal.h>

#include <set>

#include "node-agent/instance/run_record.h"

namespace updraft::sim {

using namespace node_agent;  // the simulation of it speaks its words

namespace {

constexpr Nanos kStatusInterval = Seconds(10);

}  // namespace

SimNode::Agent::Agent(SimNode& node) : node_(node), process_(node.around_.time, node.clock_) {
  process_.After(Takes(Millis(300)), [this] { Adopt(); });
}

SimNode::Agent::~Agent() { node_.around_.controller.ClientDown(); }

Nanos SimNode::Agent::Takes(Nanos usually_at_most) {
  Chance& chance = node_.around_.chance;
  const bool slow = node_.around_.weather.stormy && chance.OneIn(30);
  return slow ? chance.Between(Millis(500), Seconds(8)) : chance.Between(Millis(1), usually_at_most);
}

bool SimNode::Agent::Stopping(const std::string& instance) const {
  const auto it = instances_.find(instance);
  return it != instances_.end() && it->second->machine.stopping();
}

std::vector<std::string> SimNode::Agent::Instances() const {
  std::vector<std::string> ids;
  for (const auto& [id, live] : instances_) ids.push_back(id);
  return ids;
}

// ---- adoption

void SimNode::Agent::Adopt() {
  RuntimeContents contents;
  bool overlooked = node_.around_.sabotage != Sabotage::kAdoptionForgets;
  for (const auto& [id, container] : node_.containers_) {
    if (!std::exchange(overlooked, true)) continue;
    contents.containers.push_back(container->record);
    if (container->state == SimContainer::State::kMade) continue;
    TaskState task{.container_id = id};
    const bool running = container->state == SimContainer::State::kRunning;
    task.status = running ? TaskStatus::kRunning : TaskStatus::kStopped;
    if (container->state == SimContainer::State::kCreated) task.status = TaskStatus::kCreated;
    contents.tasks.push_back(task);
  }
  const AdoptionPlan plan = PlanAdoption(contents);
  std::vector<std::string> leftovers = plan.remove_containers;
  std::vector<std::string> adopted;
  for (const AdoptableInstance& known : plan.instances) {
    const std::string& id = known.spec->instance_id();
    const auto address = node_.addresses_.find(id);
    if (address == node_.addresses_.end()) {
      for (const AdoptedContainer& container : known.containers) {
        leftovers.push_back(ContainerIdOf(id, {container.container, container.run}));
      }
      continue;
    }
    Live& live = Add(known.spec);
    for (const AdoptedContainer& container : known.containers) {
      live.places[static_cast<size_t>(container.container)].run = {container.container, container.run};
    }
    live.machine.Adopt(known.containers, address->second, {process_.Now(), process_.clock().Wall()});
    adopted.push_back(id);
  }
  for (const std::string& id : leftovers) {
    const auto it = node_.containers_.find(id);
    if (it == node_.containers_.end()) continue;
    it->second->program.Die();
    node_.by_address_.erase(it->second->ip);
    node_.containers_.erase(it);
  }
  std::vector<std::string> unused;
  for (const auto& [instance, ip] : node_.addresses_) {
    if (!instances_.contains(instance)) unused.push_back(instance);
  }
  for (const std::string& instance : unused) {
    const bool in_use = node_.around_.sabotage == Sabotage::kAdoptionForgets;
    if (!in_use) node_.ReleaseAddress(instance);
  }
  for (const std::string& id : adopted) {
    Handle(id, event::Begin{});
    // Its port may listen already.
    for (const auto& [container_id, container] : node_.containers_) {
      if (container->instance == id && container->program.listening) OnListening(*container);
    }
  }
  // What ended while nobody looked has ended like anything else.
  std::vector<std::string> ended;
  for (const auto& [container_id, container] : node_.containers_) {
    if (container->state == SimContainer::State::kExited) ended.push_back(container_id);
  }
  for (const std::string& container_id : ended) {
    const auto it = node_.containers_.find(container_id);
    if (it != node_.containers_.end()) OnExit(*it->second);
  }
  ready_ = true;
  node_.around_.controller.ClientUp(*this);
}

// ---- the stream to the controller

void SimNode::Agent::OnConnected() {
  const uint64_t connection = ++connection_;
  v1::NodeMessage hello;
  hello.mutable_hello()->set_node(node_.name_);
  hello.mutable_hello()->mutable_capacity()->set_cpu_millis(64'000);
  hello.mutable_hello()->mutable_capacity()->set_memory_bytes(int64_t{64} << 30);
  hello.mutable_hello()->mutable_capacity()->set_instances_max(node_.around_.instances_max);
  node_.around_.controller.Send(std::move(hello));
  v1::NodeMessage inventory;
  inventory.mutable_inventory();
  for (const auto& [id, live] : instances_) {
    v1::InstanceReport& report = *inventory.mutable_inventory()->add_instances();
    report = live->machine.report();
    *report.mutable_spec() = live->machine.spec();
  }
  node_.around_.controller.Send(std::move(inventory));
  SendStatus(connection);
}

void SimNode::Agent::SendStatus(uint64_t connection) {
  if (connection != connection_) return;
  v1::NodeMessage message;
  message.mutable_status()->set_memory_available_bytes(int64_t{32} << 30);
  node_.around_.controller.Send(std::move(message));
  process_.After(kStatusInterval, [this, connection] { SendStatus(connection); });
}

void SimNode::Agent::Report(const v1::InstanceReport& report) {
  v1::NodeMessage message;
  *message.mutable_instance() = report;
  node_.around_.controller.Send(std::move(message));
}

void SimNode::Agent::OnMessage(const v1::ControllerMessage& message) {
  if (message.has_start()) Start(message.start());
  if (message.has_stop()) Stop(message.stop().instance_id(), Nanos(message.stop().grace_ns()));
  for (const v1::StopInstance& stop : message.desired().stop()) Stop(stop.instance_id(), Nanos(stop.grace_ns()));
  for (const v1::InstanceSpec& spec : message.desired().instances()) Start(spec);
}

void SimNode::Agent::Start(const v1::InstanceSpec& spec) {
  if (instances_.contains(spec.instance_id())) return;
  node_.Trace("start " + spec.instance_id());
  Add(std::make_shared<v1::InstanceSpec>(spec));
  Handle(spec.instance_id(), event::Begin{});
}

void SimNode::Agent::Stop(const std::string& instance, Nanos grace) {
  const Live* live = Find(instance);
  if (live == nullptr) {
    v1::InstanceReport report;
    report.set_instance_id(instance);
    report.set_phase(v1::INSTANCE_STOPPED);
    return Report(report);
  }
  node_.Trace("stop " + instance);
  const Nanos own = Nanos(live->machine.spec().termination_grace_ns());
  Handle(instance, event::Stop{grace > Nanos(0) ? grace : own});
}

// ---- instances

SimNode::Agent::Live* SimNode::Agent::Find(const std::string& instance) {
  const auto it = instances_.find(instance);
  return it == instances_.end() ? nullptr : it->second.get();
}

SimNode::Agent::Live& SimNode::Agent::Add(std::shared_ptr<const v1::InstanceSpec> spec) {
  const std::string id = spec->instance_id();
  const auto places = static_cast<size_t>(spec->init_containers_size() + spec->containers_size());
  return *instances_.emplace(id, std::make_unique<Live>(std::move(spec), places)).first->second;
}

// Events that come up while one is handled wait for their turn.
void SimNode::Agent::Handle(const std::string& instance, Event event) {
  Live* live = Find(instance);
  if (live == nullptr) return;
  live->events.push_back(std::move(event));
  if (std::exchange(live->handling, true)) return;
  while (!live->events.empty()) {
    const Event next = std::move(live->events.front());
    live->events.pop_front();
    for (const Action& action : live->machine.Handle(next, {process_.Now(), process_.clock().Wall()})) {
      std::visit([&](const auto& what) { Do(instance, *live, what); }, action);
    }
  }
  live->handling = false;
  SetTimer(instance, *live);
}

void SimNode::Agent::SetTimer(const std::string& instance, Live& live) {
  const std::optional<TimePoint> wake = live.machine.WakeAt();
  if (wake == live.timer_at) return;
  live.timer_at = wake;
  const uint64_t timer = ++live.timer;
  if (!wake) return;
  process_.At(*wake, [this, instance, timer] {
    Live* found = Find(instance);
    if (found == nullptr || found->timer != timer) return;
    found->timer_at.reset();
    Handle(instance, event::Tick{});
  });
}

void SimNode::Agent::Call(const std::string& instance, Place& place, Nanos takes, std::function<void()> then) {
  ++place.calls;
  const RunId run = place.run;
  process_.After(takes, [this, instance, run, then = std::move(then)] {
    Live* live = Find(instance);
    if (live == nullptr) return;
    Place& answered = live->places[static_cast<size_t>(run.container)];
    if (!(answered.run == run)) return;
    --answered.calls;
    if (!answered.removing) return then();
    if (answered.calls == 0) TearDown(instance, run);
  });
}

void SimNode::Agent::Do(const std::string& instance, Live&, const action::EnsureImage& action) {
  const bool fails = node_.around_.weather.stormy && node_.around_.chance.OneIn(40);
  process_.After(Takes(Millis(20)), [this, instance, place = action.container, fails] {
    if (fails) return Handle(instance, event::ImageFailed{place, "ErrImagePull", "connection reset by peer"});
    Handle(instance, event::ImageReady{place});
  });
}

void SimNode::Agent::Do(const std::string& instance, Live&, const action::ClaimNetwork&) {
  const bool fails = node_.around_.weather.stormy && node_.around_.chance.OneIn(60);
  process_.After(Takes(Millis(5)), [this, instance, fails] {
    if (Find(instance) == nullptr) return;
    const std::optional<std::string> ip = fails ? std::nullopt : node_.ClaimAddress(instance);
    if (!ip) return Handle(instance, event::NetworkFailed{"no address"});
    Handle(instance, event::NetworkReady{*ip});
  });
}

void SimNode::Agent::Do(const std::string&, Live& live, const action::PrepareRoot& action) {
  Place& place = live.places[static_cast<size_t>(action.run.container)];
  place.run = action.run;
  place.calls = 0;
  place.removing = false;
  place.probes.reset();
  place.health = {};
  ++place.probing;
}

void SimNode::Agent::Do(const std::string& instance, Live& live, const action::Create& action) {
  Place& place = live.places[static_cast<size_t>(action.run.container)];
  const bool fails = node_.around_.weather.stormy && node_.around_.chance.OneIn(50);
  const Nanos takes = Takes(Millis(15));
  const std::string id = ContainerIdOf(instance, action.run);
  std::unique_ptr<SimContainer>& container = node_.containers_[id];
  container = std::make_unique<SimContainer>();
  SimContainer& made = *container;
  made.record = RecordOf(live.machine, action.run, SIGTERM);
  made.record.created_at = process_.clock().Wall();
  made.instance = instance;
  made.ip = node_.addresses_.at(instance);
  made.program.instance = instance;
  for (const v1::EnvVar& variable : live.machine.container(action.run.container).env()) {
    if (variable.name() == kLimitVariable) made.program.limit = static_cast<uint32_t>(std::stoul(variable.value()));
  }
  made.program.ever_ready = node_.once_ready_.contains(instance);
  made.program.revision = live.machine.spec().namespace_() + "/" + live.machine.spec().revision();
  if (!fails) {
    node_.machine_->After(takes, [node = &node_, id] {
      const auto it = node->containers_.find(id);
      if (it != node->containers_.end() && it->second->state == SimContainer::State::kMade) {
        it->second->state = SimContainer::State::kCreated;
      }
    });
  }
  Call(instance, place, takes, [this, instance, run = action.run, fails, claimed = process_.clock().Wall()] {
    if (fails) return Handle(instance, event::CreateFailed{run, event::Blame::kMachine, "containerd is busy"});
    Handle(instance, event::Created{run, claimed});
  });
}

void SimNode::Agent::Do(const std::string& instance, Live& live, const action::Start& action) {
  Place& place = live.places[static_cast<size_t>(action.run.container)];
  const Nanos takes = Takes(Millis(20));
  const std::string id = ContainerIdOf(instance, action.run);
  node_.machine_->After(takes, [node = &node_, id, image = live.machine.container(action.run.container).image()] {
    const auto it = node->containers_.find(id);
    if (it != node->containers_.end() && it->second->state == SimContainer::State::kCreated) {
      node->RunProgram(*it->second, image);
    }
  });
  Call(instance, place, takes, [this, instance, run = action.run] { Handle(instance, event::Started{run}); });
}

void SimNode::Agent::Do(const std::string& instance, Live&, const action::Signal& action) {
  const std::string id = ContainerIdOf(instance, action.run);
  const bool at_once = action.signal == SIGKILL;
  // A program may take its time over SIGTERM.
  const Nanos takes = at_once ? Millis(1) : node_.around_.chance.Between(Millis(2), Millis(1500));
  const bool ignores = !at_once && node_.around_.weather.stormy && node_.around_.chance.OneIn(20);
  if (ignores) return;
  node_.machine_->After(takes, [node = &node_, id, signal = action.signal] {
    const auto it = node->containers_.find(id);
    if (it != node->containers_.end()) node->Exit(*it->second, 128 + static_cast<uint32_t>(signal));
  });
}

void SimNode::Agent::Do(const std::string& instance, Live& live, const action::Remove& action) {
  Place& place = live.places[static_cast<size_t>(action.run.container)];
  place.probes.reset();
  ++place.probing;
  place.removing = true;
  if (place.calls == 0) TearDown(instance, action.run);
}

void SimNode::Agent::TearDown(const std::string& instance, const RunId& run) {
  const Nanos takes = Takes(Millis(30));
  node_.machine_->After(takes, [node = &node_, id = ContainerIdOf(instance, run)] {
    const auto it = node->containers_.find(id);
    if (it == node->containers_.end()) return;
    if (it->second->state == SimContainer::State::kRunning) node->by_address_.erase(it->second->ip);
    it->second->program.Die();
    node->containers_.erase(it);
  });
  process_.After(takes, [this, instance, run] { Handle(instance, event::Removed{run}); });
}

void SimNode::Agent::Do(const std::string& instance, Live&, const action::RememberReady& action) {
  const auto it = node_.containers_.find(ContainerIdOf(instance, action.run));
  if (it != node_.containers_.end()) it->second->record.labels[kReadyLabel] = "true";
}

void SimNode::Agent::Do(const std::string& instance, Live&, const action::ReleaseNetwork&) {
  node_.ReleaseAddress(instance);
  node_.once_ready_.erase(instance);
}

void SimNode::Agent::Do(const std::string& instance, Live& live, const action::Report&) {
  const v1::InstanceReport& report = live.machine.report();
  if (report.phase() == v1::INSTANCE_READY && node_.once_ready_.insert(instance).second) {
    for (const auto& [id, container] : node_.containers_) {
      if (container->instance == instance) container->program.ever_ready = true;
    }
  }
  Report(report);
}

void SimNode::Agent::Do(const std::string& instance, Live&, const action::Forget&) {
  process_.Post([this, instance] { instances_.erase(instance); });
}

// ---- what the runtime tells

void SimNode::Agent::OnExit(const SimContainer& container) {
  Live* live = Find(container.instance);
  if (live == nullptr) return;
  for (const Place& place : live->places) {
    if (ContainerIdOf(container.instance, place.run) != container.record.id) continue;
    return Handle(container.instance, event::Exited{.run = place.run,
                                                    .exit_status = container.exit_status,
                                                    .message = "the program ended",
                                                    .finished = container.exited_at});
  }
}

void SimNode::Agent::OnListening(const SimContainer& container) {
  const std::string instance = container.instance;
  const std::string id = container.record.id;
  process_.After(node_.around_.chance.Between(Nanos(100'000), Millis(5)), [this, instance, id] {
    Live* live = Find(instance);
    if (live == nullptr) return;
    const RunId run = live->places[static_cast<size_t>(live->machine.serving())].run;
    if (ContainerIdOf(instance, run) != id) return;
    Handle(instance, event::Listening{run});
    live = Find(instance);
    if (live == nullptr) return;
    Place& place = live->places[static_cast<size_t>(run.container)];
    if (!place.probes) return;
    place.probes->OnListening(process_.Now());
    ScheduleProbes(instance, run);
  });
}

// ---- probes

void SimNode::Agent::Do(const std::string& instance, Live& live, const action::Probe& action) {
  Place& place = live.places[static_cast<size_t>(action.run.container)];
  const v1::Container& container = live.machine.container(action.run.container);
  const ProbeTarget target{.ip = node_.addresses_.at(instance),
                           .serving_port = static_cast<uint16_t>(live.machine.spec().port())};
  place.probes.emplace(PoliciesOf(ProbesOf(container, target)), process_.Now());
  place.health = place.probes->Health();
  if (place.health.ready) {
    Handle(instance, event::Health{.run = action.run, .health = place.health, .message = {}});
  }
  ScheduleProbes(instance, action.run);
}

void SimNode::Agent::ScheduleProbes(const std::string& instance, const RunId& run) {
  Live* live = Find(instance);
  if (live == nullptr) return;
  Place& place = live->places[static_cast<size_t>(run.container)];
  if (!place.probes || !(place.run == run)) return;
  const std::optional<TimePoint> wake = place.probes->WakeAt();
  const uint64_t probing = ++place.probing;
  if (!wake) return;
  process_.At(*wake, [this, instance, run, probing] {
    Live* found = Find(instance);
    if (found == nullptr) return;
    Place& due = found->places[static_cast<size_t>(run.container)];
    if (!due.probes || due.probing != probing) return;
    for (const DueProbe& probe : due.probes->TakeDue(process_.Now())) {
      process_.After(node_.around_.chance.Between(Nanos(100'000), Millis(2)),
                     [this, instance, run, kind = probe.kind] { OnProbe(instance, run, kind); });
    }
    ScheduleProbes(instance, run);
  });
}

void SimNode::Agent::OnProbe(const std::string& instance, const RunId& run, ProbeKind kind) {
  Live* live = Find(instance);
  if (live == nullptr) return;
  Place& place = live->places[static_cast<size_t>(run.container)];
  if (!place.probes || !(place.run == run)) return;
  const auto container = node_.containers_.find(ContainerIdOf(instance, run));
  const bool passes = container != node_.containers_.end() && container->second->program.listening &&
                      container->second->program.healthy;
  place.probes->OnResult(kind, passes ? ProbeResult::kSuccess : ProbeResult::kFailure, process_.Now());
  ScheduleProbes(instance, run);
  TellHealth(instance, run);
}

void SimNode::Agent::TellHealth(const std::string& instance, const RunId& run) {
  Live* live = Find(instance);
  if (live == nullptr) return;
  Place& place = live->places[static_cast<size_t>(run.container)];
  const ContainerHealth health = place.probes->Health();
  if (health == place.health) return;
  place.health = health;
  Handle(instance, event::Health{.run = run, .health = health, .message = "probe failed"});
}

}  // namespace updraft::sim

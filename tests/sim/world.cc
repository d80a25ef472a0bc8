#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "controller/reconcile/keys.h"
#include "core/api/defaults.h"

namespace updraft::sim {
namespace {

constexpr Nanos kSweepEvery = Millis(250);
constexpr int kBusySweepsMax = 12;

Json ServiceOf(const std::string& name, const Wish& wish) {
  Json annotations = Json::object();
  if (wish.min_scale > 0) annotations["autoscaling.knative.dev/min-scale"] = std::to_string(wish.min_scale);
  if (wish.max_scale > 0) annotations["autoscaling.knative.dev/max-scale"] = std::to_string(wish.max_scale);
  Json spec = {{"containerConcurrency", wish.container_concurrency},
               {"timeoutSeconds", wish.timeout_seconds},
               {"containers",
                {{{"name", "user-container"},
                  {"image", "example.com/" + wish.image},
                  {"env",
                   {{{"name", "VERSION"}, {"value", std::to_string(wish.version)}},
                    {{"name", kLimitVariable}, {"value", std::to_string(wish.container_concurrency)}}}}}}}};
  static const api::ServingConfig config;
  api::SetRevisionSpecDefaults(spec, nullptr, config, /*create=*/true);
  return {{"apiVersion", controller::kServingApiVersion},
          {"kind", "Service"},
          {"metadata", {{"name", name}, {"namespace", "default"}}},
          {"spec",
           {{"template", {{"metadata", {{"annotations", annotations}}}, {"spec", spec}}},
            {"traffic", {{{"latestRevision", true}, {"percent", 100}}}}}}};
}

ObjectKey KeyOfService(const std::string& name) { return {controller::resource::kServices, "default", name}; }

}  // namespace

World::World(const WorldOptions& options)
    : options_(options),
      chance_(options.seed),
      weather_{.time = time_, .chance = chance_, .stormy = true},
      born_(time_.now()),
      durable_([this](std::function<void()> callback) { time_.After(Nanos(0), std::move(callback)); }),
      terms_([this](const std::string& what) { Violation(what); }) {
  const auto clock = [this] {
    const Nanos up = chance_.Between(std::chrono::minutes(1), std::chrono::hours(1000));
    clocks_.push_back(std::make_unique<MachineClock>(time_, up, chance_.Between(-Millis(500), Millis(500))));
    return clocks_.back().get();
  };
  for (uint32_t i = 0; i < options.controllers; ++i) controller_clocks_.push_back(clock());
  controllers_.resize(options.controllers);
  autoscaler_clock_ = clock();
  decision_wire_ = std::make_unique<DecisionWire>(weather_);
  for (uint32_t i = 0; i < options.activators; ++i) {
    activator_clocks_.push_back(clock());
    routing_wires_.push_back(std::make_unique<RoutingWire>(weather_));
    load_wires_.push_back(std::make_unique<LoadWire>(weather_));
  }
  activators_.resize(options.activators);
  for (uint32_t i = 0; i < options.nodes; ++i) {
    node_wires_.push_back(std::make_unique<NodeWire>(weather_));
    NodeSurroundings around{.time = time_,
                            .weather = weather_,
                            .chance = chance_,
                            .controller = *node_wires_[i],
                            .number = i,
                            .instances_max = options.instances_per_node_max,
                            .sabotage = options.sabotage,
                            .trace = nullptr};
    if (options.trace) around.trace = [this](const std::string& line) { Trace(line); };
    nodes_.push_back(std::make_unique<SimNode>(around, *clock()));
  }
}

World::~World() {
  traffic_ = false;
  for (uint32_t i = 0; i < options_.activators; ++i) KillActivator(i);
  for (const auto& node : nodes_) node->PowerOff();
  autoscaler_.reset();
  for (auto& controller : controllers_) controller.reset();
}

std::vector<std::string> World::Live() {
  for (uint32_t i = 0; i < options_.controllers; ++i) StartController(i);
  StartAutoscaler();
  for (uint32_t i = 0; i < options_.activators; ++i) StartActivator(i);
  for (const auto& node : nodes_) node->PowerOn();
  if (options_.all_at_first) ApplyAll();
  ScheduleUser();
  ScheduleTraffic();
  ScheduleFault();
  RunFor(options_.storm);
  Calm();
  Settle();
  return violations_;
}

// ---- parts

void World::StartController(uint32_t i) {
  if (controllers_[i]) return;
  Trace("controller " + std::to_string(i) + " starts");
  ControllerSurroundings around{
      .time = time_,
      .weather = weather_,
      .chance = chance_,
      .durable = durable_,
      .terms = terms_,
      .name = "controller-" + std::to_string(i),
      .sabotage = options_.sabotage,
      .nodes = {},
      .activators = {},
      .autoscaler = decision_wire_.get(),
      .trace = nullptr,
      // It ends, and who supervises it starts it again.
      .on_lost =
          [this, i] {
            time_.After(Nanos(0), [this, i] { KillController(i); });
            Later(Millis(20), std::chrono::seconds(2), [this, i] { StartController(i); });
          },
      .on_settled = [this](const controller::Fleet& fleet, const controller::FleetChanges& changes) {
        CheckMaxScale(fleet, changes);
      }};
  for (const auto& wire : node_wires_) around.nodes.push_back(wire.get());
  for (const auto& wire : routing_wires_) around.activators.push_back(wire.get());
  if (options_.trace) around.trace = [this](const std::string& line) { Trace(line); };
  controllers_[i] = std::make_unique<SimController>(around, *controller_clocks_[i]);
}

void World::KillController(uint32_t i) {
  if (!controllers_[i]) return;
  Trace("controller " + std::to_string(i) + " dies");
  controllers_[i].reset();
  for (auto& [name, service] : services_) {
    if (service.writer != i || (!service.asked && !service.deleting)) continue;
    service.uncertain = true;
    ++service.writes;
  }
}

SimController* World::Leader() const {
  const auto it = std::ranges::find_if(
      controllers_, [](const auto& controller) { return controller && controller->serving() && !controller->frozen(); });
  return it == controllers_.end() ? nullptr : it->get();
}

void World::StartAutoscaler() {
  if (autoscaler_) return;
  Trace("autoscaler starts");
  std::vector<LoadWire*> loads;
  for (const auto& wire : load_wires_) loads.push_back(wire.get());
  autoscaler_ = std::make_unique<SimAutoscaler>(time_, *autoscaler_clock_, *decision_wire_, std::move(loads));
}

void World::StartActivator(uint32_t i) {
  if (activators_[i]) return;
  Trace("activator " + std::to_string(i) + " starts");
  ActivatorSurroundings around{.time = time_,
                               .weather = weather_,
                               .chance = chance_,
                               .backends = *this,
                               .number = i,
                               .controller = routing_wires_[i].get(),
                               .autoscaler = load_wires_[i].get(),
                               .sabotage = options_.sabotage,
                               .trace = nullptr,
                               .violation = [this](const std::string& what) { Violation(what); },
                               .on_end = [this](const Seen& seen) { OnEnd(seen); }};
  activators_[i] = std::make_unique<SimActivator>(around, *activator_clocks_[i]);
}

void World::KillActivator(uint32_t i) {
  if (!activators_[i]) return;
  Trace("activator " + std::to_string(i) + " dies");
  activators_[i].reset();
}

// ---- motion

void World::RunFor(Nanos span) {
  const TimePoint end = time_.now() + span;
  while (time_.now() < end && violations_.size() < options_.violations_max) {
    const TimePoint next = std::min(end, time_.now() + kSweepEvery);
    const SimController* leader = Leader();
    const uint64_t before = leader != nullptr ? leader->activity() : 0;
    while (violations_.size() < options_.violations_max && time_.RunOne(next)) {
    }
    Sweep();
    const uint64_t after = leader != nullptr && leader == Leader() ? leader->activity() : 0;
    // Writes, orders, updates and decisions: a circle that nothing slows down.
    const uint64_t most = 400 + 40 * uint64_t{options_.services};
    busy_sweeps_ = before != 0 && after > before + most ? busy_sweeps_ + 1 : 0;
    if (busy_sweeps_ >= kBusySweepsMax) Violation("the controller does not come to rest");
  }
}

void World::Later(Nanos least, Nanos most, std::function<void()> run) {
  time_.After(chance_.Between(least, most), std::move(run));
}

void World::Trace(const std::string& line) {
  if (options_.trace) std::fprintf(stderr, "%10.6f %s\n", Seconds(), line.c_str());
}

double World::Seconds() const { return std::chrono::duration<double>(time_.now() - born_).count(); }

// ---- users

Wish World::RandomWish() {
  Wish wish;
  const uint64_t kind = chance_.Below(100);
  wish.image = kind < 70 ? "good" : kind < 85 ? "slow" : kind < 93 ? "crash" : "missing";
  wish.container_concurrency = chance_.Of(std::vector<uint32_t>{0, 1, 1, 2, 10});
  wish.min_scale = chance_.Of(std::vector<int>{0, 0, 0, 1, 2});
  wish.max_scale = chance_.Of(std::vector<int>{0, 1, 2, 3, 5});
  if (wish.max_scale > 0) wish.min_scale = std::min(wish.min_scale, wish.max_scale);
  wish.timeout_seconds = chance_.Of(std::vector<int>{15, 20, 30});
  if (wish.image == "slow") wish.timeout_seconds = 30;  // a cold start is to fit in
  wish.version = static_cast<int>(++versions_);
  return wish;
}

// Some thirty a second.
void World::ApplyAll() {
  for (uint32_t i = 0; i < options_.services; ++i) {
    time_.After(Millis(30 * int64_t{i}) + std::chrono::seconds(5), [this, i] { ApplyNew("svc-" + std::to_string(i)); });
  }
}

// Until it is acknowledged.
void World::ApplyNew(const std::string& name) {
  if (services_[name].acknowledged) return;
  Apply(name, RandomWish());
  Later(std::chrono::seconds(1), std::chrono::seconds(3), [this, name] { ApplyNew(name); });
}

void World::ScheduleUser() {
  Later(Nanos(0), 2 * options_.users_take, [this] {
    if (!weather_.stormy) return;
    ScheduleUser();
    const std::string name = "svc-" + std::to_string(chance_.Below(options_.services));
    const bool there = services_[name].acknowledged.has_value();
    if (there && chance_.OneIn(5)) return Apply(name, std::nullopt);
    Apply(name, RandomWish());
  });
}

void World::Apply(const std::string& name, std::optional<Wish> wish) {
  Service& service = services_[name];
  SimController* leader = Leader();
  if (leader == nullptr || service.asked || service.uncertain || service.deleting) return;
  Trace("user: " + std::string(wish ? "apply " : "delete ") + name + (wish ? " " + wish->image : ""));
  const uint64_t write = ++service.writes;
  if (wish) {
    service.asked = wish;
  } else {
    service.deleting = true;
  }
  const auto writes = [leader](const auto& controller) { return controller.get() == leader; };
  service.writer = static_cast<uint32_t>(std::ranges::find_if(controllers_, writes) - controllers_.begin());
  leader->Write(
      KeyOfService(name),
      [&](const Json* present) -> std::optional<Json> {
        if (!wish) return std::nullopt;
        Json object = ServiceOf(name, *wish);
        if (present == nullptr) return object;
        Json edited = *present;
        edited["spec"] = object["spec"];
        return edited;
      },
      [this, name, wish, write](const Status& status) {
        Service& written = services_[name];
        if (written.writes != write) return;
        written.asked.reset();
        written.deleting = false;
        if (status) written.acknowledged = wish;
        Trace("user: " + name + (status ? " acknowledged" : ": " + status.error().message));
      });
}

void World::ScheduleTraffic() {
  ChangeRates();
  Later(Millis(100), 2 * std::chrono::seconds(15), [this] {
    if (traffic_) ScheduleTraffic();
  });
}

// Requests a second that the instances can bear, if there is a limit: in the calm none may be turned away.
double World::Bearable(const Service& service) {
  const Wish wish = service.acknowledged.value_or(Wish{});
  const bool limited = wish.max_scale > 0 && wish.container_concurrency > 0;
  return limited ? std::min(8.0, static_cast<double>(wish.max_scale) * wish.container_concurrency) : 8.0;
}

// A few at a time, when there are many.
void World::ChangeRates() {
  const uint64_t one_in = std::max<uint64_t>(1, services_.size() / 100);
  for (auto& [name, service] : services_) {
    if (!chance_.OneIn(one_in)) continue;
    const double slots = Bearable(service);
    const bool busy = static_cast<double>(chance_.Below(1000)) < 1000 * options_.busy;
    double rate = busy ? chance_.Of(std::vector<double>{0.3, 0.3, 0.2 * slots, slots}) : 0;
    if (busy && weather_.stormy && chance_.OneIn(10)) rate = 8 * slots;
    SetRate(name, rate);
  }
}

// Of many services few change soon, and a storm's rate would last.
void World::EaseTraffic() {
  for (auto& [name, service] : services_) {
    if (service.rate > Bearable(service)) SetRate(name, Bearable(service));
  }
}

void World::SetRate(const std::string& name, double rate) {
  Service& service = services_[name];
  service.rate = rate;
  ++service.arrivals;
  if (rate > 0) ScheduleArrival(name);
}

void World::ScheduleArrival(const std::string& name) {
  const Service& service = services_[name];
  const auto gap = Nanos(static_cast<int64_t>(2e9 / service.rate));
  Later(Nanos(0), gap, [this, name, arrivals = service.arrivals] {
    if (!traffic_ || services_[name].arrivals != arrivals) return;
    const bool longer = chance_.OneIn(10);
    const Nanos works = longer ? chance_.Between(Millis(300), Millis(3000)) : chance_.Between(Millis(2), Millis(150));
    const bool impatient = weather_.stormy && chance_.OneIn(10);
    Ask(name, works, impatient ? chance_.Between(Millis(1), Millis(3000)) : Nanos::max());
    ScheduleArrival(name);
  });
}

void World::Ask(const std::string& name, Nanos works_for, Nanos patience) {
  const auto& activator = activators_[chance_.Below(activators_.size())];
  if (!activator || !activator->routable()) return;  // the balancer in front sends none there
  const uint64_t number = next_request_++;
  open_requests_.insert(number);
  activator->Request(
      {.number = number, .host = name + ".default.localhost", .works_for = works_for, .patience = patience});
}

// ---- faults

void World::ScheduleFault() {
  Later(Nanos(0), 2 * options_.fault_every, [this] {
    if (!weather_.stormy) return;
    Fault();
    ScheduleFault();
  });
}

void World::Fault() {
  const auto back = [this](Nanos most, std::function<void()> run) { Later(Millis(20), most, std::move(run)); };
  const auto index = static_cast<uint32_t>(chance_.Below(nodes_.size()));
  const auto which = static_cast<uint32_t>(chance_.Below(activators_.size()));
  SimNode& node = *nodes_[index];
  const auto ruler = static_cast<uint32_t>(chance_.Below(controllers_.size()));
  switch (chance_.Below(16)) {
    case 0:
      KillController(ruler);
      return back(std::chrono::seconds(8), [this, ruler] { StartController(ruler); });
    case 13:
      if (controllers_[ruler]) controllers_[ruler]->Freeze(chance_.Between(Millis(200), std::chrono::seconds(40)), chance_.OneIn(2));
      return;
    case 14:
      Trace("cut controller " + std::to_string(ruler) + " from the store");
      if (controllers_[ruler]) controllers_[ruler]->CutFromStore(chance_.Between(Millis(200), std::chrono::seconds(20)));
      return;
    case 1:
      KillActivator(which);
      return back(std::chrono::seconds(8), [this, which] { StartActivator(which); });
    case 2:
      Trace("autoscaler dies");
      autoscaler_.reset();
      return back(std::chrono::seconds(8), [this] { StartAutoscaler(); });
    case 3:
      node.KillAgent();
      return back(std::chrono::seconds(20), [&node] { node.StartAgent(); });
    case 4:
      if (!chance_.OneIn(3)) return;
      node.PowerOff();
      // A machine that goes down says no goodbye.
      node_wires_[index]->Cut();
      return Later(std::chrono::seconds(2), std::chrono::seconds(150), [this, &node, index] {
        node_wires_[index]->Heal();
        node.PowerOn();
      });
    case 5:
      Trace("cut " + node.name());
      node_wires_[index]->Cut();
      if (chance_.OneIn(2)) node.SetIsolated(true);
      return Later(Millis(50), std::chrono::seconds(chance_.OneIn(3) ? 120 : 15), [this, &node, index] {
        Trace("heal " + node.name());
        node_wires_[index]->Heal();
        node.SetIsolated(false);
      });
    case 6:
      Trace("cut activator " + std::to_string(which) + " from the controller");
      routing_wires_[which]->Cut();
      return back(std::chrono::seconds(40), [this, which] { routing_wires_[which]->Heal(); });
    case 7:
      Trace("cut activator " + std::to_string(which) + " from the autoscaler");
      load_wires_[which]->Cut();
      return back(std::chrono::seconds(40), [this, which] { load_wires_[which]->Heal(); });
    case 8:
      Trace("cut the autoscaler");
      decision_wire_->Cut();
      return back(std::chrono::seconds(40), [this] { decision_wire_->Heal(); });
    case 9:
      Trace("streams break");
      node_wires_[index]->Break();
      if (chance_.OneIn(2)) routing_wires_[which]->Break();
      if (chance_.OneIn(2)) load_wires_[which]->Break();
      if (chance_.OneIn(2)) decision_wire_->Break();
      return;
    case 10:
    case 11: {
      if (node.containers().empty()) return;
      auto it = node.containers().begin();
      std::advance(it, static_cast<std::ptrdiff_t>(chance_.Below(node.containers().size())));
      const std::string id = it->first;
      return node.Crash(id);
    }
    case 12: {
      const Nanos by = chance_.Between(-std::chrono::hours(2), std::chrono::hours(2));
      Trace("a wall clock jumps");
      return clocks_[chance_.Below(clocks_.size())]->JumpWall(by);
    }
    default:
      return ChangeRates();
  }
}

void World::Calm() {
  Trace("---- calm");
  weather_.stormy = false;
  EaseTraffic();
  for (const auto& wire : node_wires_) wire->Heal();
  for (const auto& wire : routing_wires_) wire->Heal();
  for (const auto& wire : load_wires_) wire->Heal();
  decision_wire_->Heal();
  for (uint32_t i = 0; i < options_.controllers; ++i) {
    if (controllers_[i] && controllers_[i]->frozen()) KillController(i);
    StartController(i);
    controllers_[i]->Mend();
  }
  StartAutoscaler();
  for (uint32_t i = 0; i < options_.activators; ++i) StartActivator(i);
  for (const auto& node : nodes_) {
    node->SetIsolated(false);
    node->PowerOn();
    node->StartAgent();
  }
}

}  // namespace updraft::sim

#include "tests/sim/controller.h"

#include <algorithm>
#include <utility>

#include "controller/instances/fleet_views.h"
#include "controller/objects/completion.h"
#include "controller/objects/deletion.h"
#include "controller/reconcile/keys.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/names.h"
#include "core/api/timestamp.h"
#include "core/base/check.h"

namespace updraft::sim {

using namespace controller;  // the simulation of it speaks its words

// ---- what is around it

http::Task<Result<std::string>> SimRegistry::Resolve(std::string image, std::vector<v1::ImageAuth>) {
  Completion<std::monostate> answered;
  process_.After(chance_.Between(Millis(2), Millis(200)), [told = answered.callback()] { told({}); });
  co_await answered;
  if (image.find("missing") != std::string::npos) co_return Error{Code::kNotFound, image + ": not found"};
  co_return std::string("sha256:") + std::string(64, 'd');
}

void SimDisk::Commit(store::Transaction transaction, store::Done<store::Outcome> done) {
  const Nanos takes = weather_.stormy ? weather_.chance.Between(Nanos(100'000), Millis(30)) : Nanos(200'000);
  last_ = std::max(last_, process_.Now() + takes);
  const bool fails = weather_.stormy && weather_.chance.OneIn(60);
  process_.At(last_, [this, fails, transaction = std::move(transaction), done = std::move(done)]() mutable {
    if (fails) return done(Error{Code::kUnavailable, "the disk is busy"});
    kept_.Commit(std::move(transaction), std::move(done));
  });
}

void SimDisk::Range(store::RangeRequest request, store::Done<store::RangeResult> done) {
  kept_.Range(std::move(request), std::move(done));
}

// ---- what is made once the stores are read

class SimController::Parts final : private FleetFollower,
                                   private RouteObserver,
                                   private RouteTaker,
                                   private NodeServerEnd,
                                   private RoutingServerEnd,
                                   private DecisionServerEnd {
 public:
  explicit Parts(SimController& of)
      : of_(of),
        around_(of.around_),
        known_nodes_(of.objects_, of.soft_,
                     [this](Nanos after, std::function<void()> then) { of_.process_.After(after, std::move(then)); }),
        registry_(of.process_, of.around_.chance),
        fleet_(
            OptionsOf(known_nodes_), [this] { return around_.chance.Next(); }, of.process_.Now()),
        turns_(*this, of.process_.clock(), fleet_),
        known_activators_(
            of.objects_,
            [this](Nanos after, std::function<void()> then) { of_.process_.After(after, std::move(then)); },
            [this](const std::string& lineage) {
              sessions_.Remembered(lineage);
              PushRoutesLater();
            }),
        sessions_(of.process_.Now(), &known_activators_, known_activators_.Lineages()),
        reports_(turns_),
        reconcile_({.objects = of.objects_,
                    .soft = of.soft_,
                    .clock = of.process_.clock(),
                    .random = [this] { return around_.chance.Next(); },
                    .images = registry_,
                    .revisions = reports_,
                    .routes = *this,
                    .post = [this](std::function<void()> callback) { of_.process_.Post(std::move(callback)); },
                    .wake_at = [this](TimePoint when) { of_.process_.At(when, [this] { reconcile_.Wake(); }); }},
                   {}),
        revisions_(of.objects_, turns_),
        routes_(of.objects_, *this, {}) {
    FleetFollower& orders_and_feeds = *this;
    turns_.Add(orders_and_feeds);
    turns_.Add(reports_);
    known_nodes_.Start(turns_);
    revisions_.Start();
    routes_.Start();
    reports_.Start([this](std::string_view ns, std::string_view name) { reconcile_.RevisionChanged(ns, name); });
    reconcile_.Start();
    NodeServerEnd& node_end = *this;
    for (NodeWire* wire : around_.nodes) wire->ServerUp(node_end);
    RoutingServerEnd& routing_end = *this;
    for (RoutingWire* wire : around_.activators) wire->ServerUp(routing_end);
    DecisionServerEnd& decision_end = *this;
    around_.autoscaler->ServerUp(decision_end);
  }

  ~Parts() {
    for (NodeWire* wire : around_.nodes) wire->ServerDown();
    for (RoutingWire* wire : around_.activators) wire->ServerDown();
    around_.autoscaler->ServerDown();
  }

  const Fleet& fleet() const { return fleet_; }
  const RoutingSessions& sessions() const { return sessions_; }
  const ReconcileLoop& reconciles() const { return reconcile_; }
  const NodeStreams& speakers() const { return speakers_; }
  uint64_t activity() const { return activity_; }

 private:
  class Turns final : public FleetLoop {
   public:
    Turns(Parts& of, const Clock& clock, Fleet& fleet) : FleetLoop(clock, fleet), of_(of) {}

   private:
    void SettleLater() override {
      if (std::exchange(pending_, true)) return;
      // A turn may bring one message or many.
      of_.of_.process_.After(of_.TurnEnds(), [this] {
        pending_ = false;
        SettleNow();
      });
    }
    void SettleAt(std::optional<TimePoint> when) override {
      const uint64_t wake = ++wake_;
      if (!when) return;
      of_.of_.process_.At(*when, [this, wake] {
        if (wake == wake_) SettleLater();
      });
    }

    Parts& of_;
    bool pending_ = false;
    uint64_t wake_ = 0;
  };

  static FleetOptions OptionsOf(const KnownNodes& nodes) {
    FleetOptions options;
    options.expected_nodes = nodes.Names();
    return options;
  }
  Nanos TurnEnds() {
    const bool busy = around_.weather.stormy && around_.chance.OneIn(4);
    return busy ? around_.chance.Between(Nanos(0), Millis(5)) : Nanos(0);
  }
  void Trace(const std::string& line) const {
    if (around_.trace) around_.trace("controller: " + line);
  }

  // ---- the fleet's changes go out

  void OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, controller::Moment at) override {
    if (around_.on_settled) around_.on_settled(fleet, changes);
    for (const NodeOrder& order : changes.orders) {
      const auto it = node_streams_.find(speakers_.StreamOf(order.node));
      if (it == node_streams_.end()) continue;
      ++activity_;
      it->second->Send(order.message);
    }
    sessions_.SetRevisions(fleet, changes, at.now);
    PushRoutes();
    for (const RevisionKey& key : changes.revisions) {
      if (const auto target = ScaleTargetOf(fleet, key, at.now)) {
        targets_.Set(*target);
      } else {
        targets_.Remove(key);
      }
    }
    for (const auto& [id, stream] : autoscaler_streams_) PushTargets(stream);
  }

  // ---- nodes

  void OnOpened(const NodeServerEnd::Stream& stream) override {
    speakers_.Open(stream->id());
    node_streams_[stream->id()] = stream;
  }
  void OnMessage(const NodeServerEnd::Stream& stream, const v1::NodeMessage& said) override {
    const uint64_t id = stream->id();
    v1::NodeMessage message = said;
    if (around_.sabotage == Sabotage::kReadyTooEarly && message.instance().phase() == v1::INSTANCE_STARTING) {
      message.mutable_instance()->set_phase(v1::INSTANCE_READY);
    }
    if (message.has_hello()) {
      if (const auto older = speakers_.Hello(id, message.hello().node())) node_streams_.at(*older)->End();
      known_nodes_.OnHello(message.hello());
      turns_.Change([&](Fleet& fleet, controller::Moment at) { fleet.OnNodeHello(id, message.hello(), at); });
      Trace("hello of " + message.hello().node());
      return;
    }
    const NodeName node = speakers_.NodeOf(id);
    if (node.empty()) return;
    turns_.Change([&](Fleet& fleet, controller::Moment at) { Hear(fleet, node, id, message, at); });
  }
  void OnFlushed(const NodeServerEnd::Stream&) override {}
  void OnEnded(const NodeServerEnd::Stream& stream) override {
    node_streams_.erase(stream->id());
    const std::optional<NodeName> node = speakers_.End(stream->id());
    if (!node) return;
    Trace("lost " + *node);
    turns_.Change([&](Fleet& fleet, controller::Moment at) { fleet.OnNodeGone(*node, stream->id(), at); });
  }

  // ---- activators

  void SetRoute(const v1::Route& route, const std::string& fingerprint) override {
    sessions_.SetRoute(route, fingerprint);
    PushRoutesLater();
  }
  void RemoveRoute(const std::string& key) override {
    sessions_.RemoveRoute(key);
    PushRoutesLater();
  }
  void AssumeProgrammed(const std::string& key) override { sessions_.AssumeProgrammed(key); }
  bool Programmed(std::string_view ns, std::string_view name, std::string_view fingerprint) const override {
    return sessions_.Programmed(ns, name, fingerprint);
  }

  void OnOpened(const RoutingServerEnd::Stream& stream) override {
    sessions_.Open(stream->id());
    activator_streams_[stream->id()] = stream;
  }
  void OnMessage(const RoutingServerEnd::Stream& stream, const v1::ActivatorMessage& message) override {
    const uint64_t id = stream->id();
    const TimePoint now = of_.process_.Now();
    if (message.has_hello()) {
      const ActivatorId& activator = message.hello().activator_id();
      sessions_.Hello(id, message.hello(), now);
      PushRoutesLater();
      turns_.Change([&](Fleet& fleet, controller::Moment) { fleet.OnActivator(activator); });
    }
    if (message.has_drained()) {
      turns_.Change(
          [&](Fleet& fleet, controller::Moment) { fleet.OnDrained(sessions_.IdOf(id), message.drained().instance_id()); });
    }
    if (message.has_loads()) {
      turns_.Change([&](Fleet& fleet, controller::Moment) { fleet.OnLoads(sessions_.IdOf(id), message.loads()); });
    }
    if (message.has_returned()) sessions_.Returned(id, message.returned(), now);
    if (message.has_demand()) sessions_.Demand(id, message.demand(), now);
    if (message.has_returned() || message.has_demand()) PushRoutesLater();
    if (!message.has_applied()) return;
    sessions_.Applied(id, message.applied().sequence());
    TellProgrammed();
  }
  void OnFlushed(const RoutingServerEnd::Stream& stream) override {
    sessions_.Flushed(stream->id());
    TellProgrammed();
    PushRoutes(stream);
  }
  void OnEnded(const RoutingServerEnd::Stream& stream) override {
    const TimePoint now = of_.process_.Now();
    const std::optional<ActivatorId> gone = sessions_.End(stream->id(), now);
    activator_streams_.erase(stream->id());
    if (around_.sabotage == Sabotage::kLostSlotsFree) sessions_.Wake(now + std::chrono::hours(1));
    PushRoutesLater();
    TellProgrammed();
    if (!gone) return;
    Trace("lost activator " + *gone);
    turns_.Change([&](Fleet& fleet, controller::Moment at) { fleet.OnActivatorGone(*gone, at.now); });
  }
  void PushRoutesLater() {
    if (std::exchange(push_pending_, true)) return;
    of_.process_.After(TurnEnds(), [this] {
      push_pending_ = false;
      PushRoutes();
    });
  }
  void PushRoutes() {
    for (const auto& [id, stream] : activator_streams_) PushRoutes(stream);
    if (sessions_.wake_at() == wakes_at_) return;
    wakes_at_ = sessions_.wake_at();
    if (!wakes_at_) return;
    of_.process_.At(*wakes_at_, [this, due = *wakes_at_] {
      if (wakes_at_ != due) return;
      wakes_at_.reset();
      sessions_.Wake(due);
      PushRoutes();
    });
  }
  void PushRoutes(const RoutingServerEnd::Stream& stream) {
    if (!stream->idle()) return;
    auto update = sessions_.Take(stream->id());
    if (!update) return;
    ++activity_;
    stream->Send(std::move(*update));
  }
  void TellProgrammed() {
    for (const std::string& key : sessions_.TakeProgrammed()) {
      const size_t slash = key.find('/');
      reconcile_.RouteChanged(key.substr(0, slash), key.substr(slash + 1));
    }
  }

  // ---- the autoscaler

  void OnOpened(const DecisionServerEnd::Stream& stream) override {
    targets_.Subscribe(stream->id());
    PushTargets(stream);
    autoscaler_streams_[stream->id()] = stream;
  }
  void OnMessage(const DecisionServerEnd::Stream& stream, const v1::AutoscalerMessage& message) override {
    // Two autoscalers at once are a restart seen from here: the newer one is right.
    if (autoscaler_streams_.empty() || autoscaler_streams_.rbegin()->first != stream->id()) return;
    ++activity_;
    for (const v1::Decision& decision : message.decisions()) {
      if (around_.trace) Trace("decided " + decision.revision() + " " + std::to_string(decision.desired()));
    }
    turns_.Change([&](Fleet& fleet, controller::Moment) {
      for (const v1::Decision& decision : message.decisions()) fleet.OnDecision(Told(decision));
    });
  }
  v1::Decision Told(v1::Decision decision) const {
    if (around_.sabotage != Sabotage::kMaxScalePlusOne) return decision;
    const auto it = fleet_.revisions().find(decision.revision());
    if (it == fleet_.revisions().end() || !it->second.spec) return decision;
    const auto& annotations = it->second.spec->scaling_annotations;
    const auto most = annotations.find("autoscaling.knative.dev/max-scale");
    if (most != annotations.end() && std::to_string(decision.desired()) == most->second) {
      decision.set_desired(decision.desired() + 1);
    }
    return decision;
  }
  void OnFlushed(const DecisionServerEnd::Stream& stream) override { PushTargets(stream); }
  void OnEnded(const DecisionServerEnd::Stream& stream) override {
    targets_.Unsubscribe(stream->id());
    autoscaler_streams_.erase(stream->id());
  }
  void PushTargets(const DecisionServerEnd::Stream& stream) {
    if (!stream->idle()) return;
    if (auto update = targets_.Take(stream->id())) stream->Send(std::move(*update));
  }

  SimController& of_;
  const ControllerSurroundings& around_;
  KnownNodes known_nodes_;
  SimRegistry registry_;
  Fleet fleet_;
  Turns turns_;
  KnownActivators known_activators_;
  RoutingSessions sessions_;
  std::optional<TimePoint> wakes_at_;
  TargetFeed targets_;
  RevisionReports reports_;
  ReconcileLoop reconcile_;
  RevisionSource revisions_;
  RouteSource routes_;
  NodeStreams speakers_;
  std::map<uint64_t, NodeServerEnd::Stream> node_streams_;
  std::map<uint64_t, RoutingServerEnd::Stream> activator_streams_;
  std::map<uint64_t, DecisionServerEnd::Stream> autoscaler_streams_;
  bool push_pending_ = false;
  uint64_t activity_ = 0;
};

// ---- a life

SimController::SimController(const ControllerSurroundings& around, const MachineClock& clock)
    : around_(around),
      process_(around.time, clock),
      disk_(around.durable, process_, around.weather),
      soft_kept_([this](std::function<void()> callback) { process_.Post(std::move(callback)); }),
      objects_(disk_),
      soft_(soft_kept_) {
  process_.Post([this] { Begin(); });
}

SimController::~SimController() = default;

void SimController::Begin() { scope_.Spawn(Load()); }

http::Task<void> SimController::Load() {
  http::Task<Status> durable = objects_.Load();
  const Status durable_read = co_await durable;
  http::Task<Status> soft = soft_.Load();
  const Status soft_read = co_await soft;
  UPDRAFT_CHECK(durable_read && soft_read);
  process_.Post([this] { parts_ = std::make_unique<Parts>(*this); });
}

const Fleet& SimController::fleet() const { return parts_->fleet(); }
const RoutingSessions& SimController::routing() const { return parts_->sessions(); }
const ReconcileLoop& SimController::reconciles() const { return parts_->reconciles(); }
bool SimController::node_connected(const std::string& node) const { return parts_->speakers().StreamOf(node) != 0; }
uint64_t SimController::activity() const {
  return (parts_ ? parts_->activity() : 0) + static_cast<uint64_t>(objects_.revision());
}

void SimController::Write(const ObjectKey& key, const Edit& edit, const std::function<void(Status)>& done) {
  const std::optional<Stored> present = objects_.Get(key);
  std::optional<Json> object = edit(present ? present->object.get() : nullptr);
  if (!present && !object) return done(Ok());
  if (object && !present) {
    Json& metadata = api::EnsureObject(*object, {"metadata"});
    metadata["uid"] = api::MakeUid(around_.chance.Next(), around_.chance.Next());
    metadata["creationTimestamp"] = api::FormatTimestamp(process_.clock().Wall());
    metadata["generation"] = 1;
  } else if (object && (*object)["spec"] != (*present->object)["spec"]) {
    (*object)["metadata"]["generation"] = api::GenerationOf(*object) + 1;
  }
  if (around_.sabotage == Sabotage::kWriteLost) done(Ok());
  scope_.Spawn(
      Carry(key, std::move(object), present, around_.sabotage == Sabotage::kWriteLost ? [](const Status&) {} : done));
}

http::Task<void> SimController::Carry(ObjectKey key, std::optional<Json> object, std::optional<Stored> present,
                                      std::function<void(Status)> done) {
  Result<Stored> written = Error{};
  if (!object) {
    std::optional<Json> marked = MarkDeleted(*present->object, Propagation::kBackground, process_.clock().Wall());
    if (marked) {
      http::Task<Result<Stored>> task = objects_.Update(std::move(key), *std::move(marked), present->revision);
      written = co_await task;
    } else {
      http::Task<Result<Stored>> task = objects_.Delete(std::move(key), present->revision);
      written = co_await task;
    }
  } else if (present) {
    http::Task<Result<Stored>> task = objects_.Update(std::move(key), *std::move(object), present->revision);
    written = co_await task;
  } else {
    http::Task<Result<Stored>> task = objects_.Create(std::move(key), *std::move(object));
    written = co_await task;
  }
  if (written) {
    done(Ok());
  } else {
    done(written.error());
  }
}

}  // namespace updraft::sim

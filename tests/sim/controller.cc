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

namespace {

constexpr char kLeaderKey[] = "/updraft/leader";
constexpr Nanos kLookEvery = Millis(100);
constexpr Nanos kKeepalive = Seconds(30);

}  // namespace

// ---- what is around it

http::Task<Result<std::string>> SimRegistry::Resolve(std::string image, std::vector<v1::ImageAuth>) {
  Completion<std::monostate> answered;
  process_.After(chance_.Between(Millis(2), Millis(200)), [told = answered.callback()] { told({}); });
  co_await answered;
  if (image.find("missing") != std::string::npos) co_return Error{Code::kNotFound, image + ": not found"};
  co_return std::string("sha256:") + std::string(64, 'd');
}

void Terms::OnWritten(int64_t term, int64_t revision) {
  const auto next = taken_.upper_bound(term);
  if (next != taken_.end() && *next < revision) {
    violation_("a write of term " + std::to_string(term) + " is done in term " + std::to_string(*next));
  }
}

void Terms::OnActed(int64_t term) {
  if (term < last_acted_) {
    violation_("two leaders act: term " + std::to_string(term) + " after term " + std::to_string(last_acted_));
  }
  last_acted_ = std::max(last_acted_, term);
}

template <typename T>
void SimDisk::Fail(const char* why, store::Done<T> done) {
  process_.After(Seconds(3), [why, done = std::move(done)] { done(Error{Code::kUnavailable, why}); });
}

void SimDisk::Commit(store::Transaction transaction, store::Done<store::Outcome> done) {
  if (Unreachable()) return Fail("the store does not answer", std::move(done));
  Weather& weather = around_.weather;
  const Nanos takes = weather.stormy ? weather.chance.Between(Nanos(100'000), Millis(30)) : Nanos(200'000);
  last_ = std::max(last_, around_.time.now() + takes);
  const bool fails = weather.stormy && weather.chance.OneIn(60);
  const bool of_election = std::ranges::any_of(
      transaction.operations, [](const store::Operation& operation) { return operation.key.starts_with(kLeaderKey); });
  if (!of_election && around_.sabotage == Sabotage::kWritesNotFenced) {
    std::erase_if(transaction.conditions, [](const store::Condition& one) { return one.key == kLeaderKey; });
  }
  const bool takes_lead = std::ranges::any_of(
      transaction.operations, [](const store::Operation& operation) { return operation.key == kLeaderKey; });
  // An answer reaches who still lives, on its loop.
  const auto answer = [process = process_.handle(), done = std::move(done)](const Result<store::Outcome>& outcome) {
    process.Post([done, outcome] { done(outcome); });
  };
  const auto arrive = [around = around_, fails, takes_lead, of_election, term = term_, answer,
                       transaction = std::move(transaction)]() mutable {
    if (fails) return answer(Error{Code::kUnavailable, "the disk is busy"});
    around.kept.Commit(std::move(transaction), [&terms = around.terms, takes_lead, of_election, term,
                                                answer](const Result<store::Outcome>& outcome) {
      if (outcome && outcome->applied && takes_lead) terms.OnTaken(outcome->revision);
      if (outcome && outcome->applied && !of_election) terms.OnWritten(term, outcome->revision);
      answer(outcome);
    });
  };
  around_.time.At(last_, [&time = around_.time, late_until = late_until_, arrive]() mutable {
    time.At(std::max(time.now(), *late_until), arrive);
  });
  if (on_next_commit_ && !of_election) std::exchange(on_next_commit_, nullptr)();
}

void SimDisk::Range(store::RangeRequest request, store::Done<store::RangeResult> done) {
  if (Unreachable()) return Fail("the store does not answer", std::move(done));
  around_.kept.Range(std::move(request),
                     [process = process_.handle(), done = std::move(done)](const Result<store::RangeResult>& result) {
                       process.Post([done, result] { done(result); });
                     });
}

// What comes in from outside waits while the process stands still.
template <typename Up, typename Down>
class AtLoop final : public ServerEnd<Up, Down> {
 public:
  using Stream = typename ServerEnd<Up, Down>::Stream;
  AtLoop(Process& process, ServerEnd<Up, Down>& to) : process_(process), to_(to) {}

  void OnOpened(const Stream& stream) override {
    process_.Run([this, stream] { to_.OnOpened(stream); });
  }
  void OnMessage(const Stream& stream, const Up& message) override {
    process_.Run([this, stream, message] { to_.OnMessage(stream, message); });
  }
  void OnFlushed(const Stream& stream) override {
    process_.Run([this, stream] { to_.OnFlushed(stream); });
  }
  void OnEnded(const Stream& stream) override {
    process_.Run([this, stream] { to_.OnEnded(stream); });
  }

 private:
  Process& process_;
  ServerEnd<Up, Down>& to_;
};

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
    if (around_.sabotage != Sabotage::kLeadNotAsked) turns_.ActOnlyWhile([this] { return of_.leads(); });
    FleetFollower& orders_and_feeds = *this;
    turns_.Add(orders_and_feeds);
    turns_.Add(reports_);
    known_nodes_.Start(turns_);
    revisions_.Start();
    routes_.Start();
    reports_.Start([this](std::string_view ns, std::string_view name) { reconcile_.RevisionChanged(ns, name); });
    reconcile_.Start();
    for (NodeWire* wire : around_.nodes) wire->ServerUp(node_door_);
    for (RoutingWire* wire : around_.activators) wire->ServerUp(routing_door_);
    around_.autoscaler->ServerUp(decision_door_);
  }

  ~Parts() {
    for (NodeWire* wire : around_.nodes) wire->ServerDown(node_door_);
    for (RoutingWire* wire : around_.activators) wire->ServerDown(routing_door_);
    around_.autoscaler->ServerDown(decision_door_);
  }

  // Nothing has been heard of it for too long.
  void BeGivenUp() {
    for (NodeWire* wire : around_.nodes) wire->GiveUpOn(node_door_);
    for (RoutingWire* wire : around_.activators) wire->GiveUpOn(routing_door_);
    around_.autoscaler->GiveUpOn(decision_door_);
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

  void Acts() {
    ++activity_;
    around_.terms.OnActed(of_.term_);
  }

  // ---- the fleet's changes go out

  void OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, controller::Moment at) override {
    if (around_.on_settled) around_.on_settled(fleet, changes);
    for (const NodeOrder& order : changes.orders) {
      const auto it = node_streams_.find(speakers_.StreamOf(order.node));
      if (it == node_streams_.end()) continue;
      Acts();
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
    if (!stream->idle() || !turns_.may_act()) return;
    auto update = sessions_.Take(stream->id());
    if (!update) return;
    Acts();
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
    if (!stream->idle() || !turns_.may_act()) return;
    auto update = targets_.Take(stream->id());
    if (!update) return;
    around_.terms.OnActed(of_.term_);
    stream->Send(std::move(*update));
  }

  SimController& of_;
  const ControllerSurroundings& around_;
  AtLoop<v1::NodeMessage, v1::ControllerMessage> node_door_{of_.process_, *this};
  AtLoop<v1::ActivatorMessage, v1::RoutingUpdate> routing_door_{of_.process_, *this};
  AtLoop<v1::AutoscalerMessage, v1::ScaleTargets> decision_door_{of_.process_, *this};
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
      led_([this, &around] {
        auto disk = std::make_unique<SimDisk>(SimDisk::Surroundings{.time = around.time,
                                                                    .weather = around.weather,
                                                                    .kept = around.durable,
                                                                    .terms = around.terms,
                                                                    .sabotage = around.sabotage},
                                              process_);
        disk_ = disk.get();
        return std::make_unique<lease::LedStore>(
            std::move(disk), lease::CandidateOptions{.key = kLeaderKey, .identity = around.name}, process_.clock(),
            [this](std::function<void()> callback) { process_.Post(std::move(callback)); });
      }()),
      soft_kept_([this](std::function<void()> callback) { process_.Post(std::move(callback)); }),
      objects_(*led_),
      soft_(soft_kept_) {
  process_.Post([this] { Look(); });
}

SimController::~SimController() = default;

void SimController::Look() {
  if (over_) return;
  process_.After(kLookEvery, [this] { Look(); });
  led_->candidate().Tick();
  if (leads() && term_ == 0) {
    term_ = led_->candidate().Fence().mod_revision;
    disk_->SetTerm(term_);
    if (around_.trace) around_.trace(around_.name + " leads, term " + std::to_string(term_));
    scope_.Spawn(Load());
  } else if (!leads() && term_ != 0 && around_.sabotage != Sabotage::kLeadNotAsked) {
    End();
  }
}

void SimController::End() {
  if (!std::exchange(over_, true)) around_.on_lost();
}

void SimController::Mend() {
  disk_->Cut(Nanos(0));
  disk_->OnNextCommit(nullptr);
}

void SimController::Freeze(Nanos span, bool with_a_write) {
  if (!with_a_write) return Stand(span);
  disk_->OnNextCommit([this, span] {
    Stand(span);
    disk_->Delay(span);
  });
}

void SimController::Stand(Nanos span) {
  if (around_.trace) around_.trace(around_.name + " stands still");
  process_.Freeze(span);
  around_.time.After(kKeepalive, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired() && process_.frozen() && parts_) parts_->BeGivenUp();
  });
}

http::Task<void> SimController::Load() {
  http::Task<Status> durable = objects_.Load();
  const Status durable_read = co_await durable;
  http::Task<Status> soft = soft_.Load();
  const Status soft_read = co_await soft;
  UPDRAFT_CHECK(soft_read.has_value());
  if (!durable_read) {
    End();
    co_return;
  }
  process_.Post([this] {
    if (!over_) parts_ = std::make_unique<Parts>(*this);
  });
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

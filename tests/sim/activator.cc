#include "tests/sim/activator.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace updraft::sim {

using activator::Admission;
using activator::Dispatcher;
using activator::Instance;
using activator::Publication;
using activator::Revision;
using activator::RevisionView;
using activator::RouteTable;
using activator::Slot;
using activator::Waiter;

const char* NameOf(Outcome outcome) {
  constexpr const char* kNames[] = {"answered", "unrouted",  "refused", "timed out",
                                    "broken",   "unreached", "left",    "reset"};
  return kNames[static_cast<size_t>(outcome)];
}

namespace {

constexpr Nanos kReportEvery = Seconds(1);
constexpr Nanos kConnectTimeout = Seconds(2);
constexpr int kInstancesTriedMax = 5;
constexpr Nanos kDeadlineSlack = Millis(5);  // a timer's tick and a loop's turn

}  // namespace

// A thread's loop: runs what is posted in order, a little later.
class SimActivator::Lane {
 public:
  Lane(Process& process, Chance& chance) : process_(process), chance_(chance) {}
  void Post(std::function<void()> run) {
    last_ = std::max(last_, process_.Now() + chance_.Between(Nanos(1'000), Nanos(120'000)));
    process_.At(last_, std::move(run));
  }

 private:
  Process& process_;
  Chance& chance_;
  TimePoint last_ = {};
};

class SimActivator::WorkerPart final : private activator::DispatcherEvents, private activator::RevisionViews {
 public:
  WorkerPart(SimActivator& activator, uint32_t index)
      : of_(activator),
        index_(index),
        lane_(activator.process_, activator.around_.chance),
        routes_(std::make_shared<const RouteTable>()),
        dispatcher_(index, {.queue_length_max = 1000}, *this, *this) {}

  Dispatcher& dispatcher() { return dispatcher_; }
  const RouteTable& routes() const { return *routes_; }
  Lane& lane() { return lane_; }

  void Take(const Publication& publication) {
    const std::shared_ptr<const RouteTable> old = std::exchange(routes_, publication.table);
    for (const Publication::Change& change : publication.changes) {
      dispatcher_.Update(*change.revision, change.view, of_.process_.Now());
    }
    dispatcher_.ForgetRemoved();
  }
  void PostWake(const std::shared_ptr<Revision>& revision) {
    lane_.Post([this, revision] { dispatcher_.Wake(*revision, of_.process_.Now()); });
  }

 private:
  RevisionView ViewOf(const Revision& revision) const override { return routes_->ViewOf(revision); }
  void OnMet(const std::shared_ptr<Revision>& revision) override {
    of_.control_->Post([this, revision] { of_.state_.OnMet(*revision); });
  }
  void OnDemand(const std::shared_ptr<Revision>& revision) override {
    of_.control_->Post([this, revision, queued = of_.process_.clock().Wall()] {
      if (auto report = of_.state_.Demand(*revision, queued)) of_.around_.autoscaler->Send(std::move(*report));
    });
  }
  void OnDrained(const Instance* instance) override {
    of_.control_->Post([this, instance] { of_.Tell(of_.state_.OnDrained(instance)); });
  }
  void OnEjected(const std::shared_ptr<Revision>& revision, const Instance& instance, uint32_t failures,
                 const Error& error) override {
    of_.control_->Post([this, revision, id = instance.id(), failures, error] {
      activator::ControlState::Ejection ejection = of_.state_.OnEjected(id, failures, error);
      of_.Tell(std::move(ejection.message));
      of_.process_.After(ejection.span, [this, revision, id] { of_.Restore(revision, id); });
    });
  }
  void OnSlotNews(const std::shared_ptr<Revision>& revision) override {
    of_.control_->Post([this, revision] {
      of_.TellAll(of_.state_.OnSlotNews(revision));
      of_.TellAgainOfSlots();
    });
  }
  void OnColdStart(const Revision&, const Instance&, const activator::ColdStartTimes&) override {}
  void WakeWorker(uint32_t worker, const std::shared_ptr<Revision>& revision) override {
    if (of_.around_.sabotage == Sabotage::kWakeLost) return;
    of_.workers_[worker]->PostWake(revision);
  }
  void DeliverLater() override {
    of_.process_.Post([this] { dispatcher_.Deliver(); });
  }

  SimActivator& of_;
  const uint32_t index_;
  Lane lane_;
  std::shared_ptr<const RouteTable> routes_;
  Dispatcher dispatcher_;
};

// One request from its arrival to its end.
class SimActivator::Exchange final : public Waiter, private Guest {
 public:
  Exchange(SimActivator& activator, WorkerPart& worker, Asked asked)
      : of_(activator), worker_(worker), asked_(std::move(asked)), start_(activator.process_.Now()) {}
  ~Exchange() {
    Leave();
    worker_.dispatcher().Cancel(*this, of_.process_.Now());
    GiveBack();
  }

  // ---- as the proxy does it

  void Serve() {
    const activator::HostRule* rule = worker_.routes().Find(asked_.host);
    Revision* revision = rule == nullptr ? nullptr : rule->Choose();
    if (revision == nullptr) return of_.End(*this, Outcome::kUnrouted, "no service is known for " + asked_.host);
    revision_ = revision->shared_from_this();
    const std::shared_ptr<const activator::RevisionSettings> settings = worker_.dispatcher().Settings(*revision);
    deadline_ = settings == nullptr ? Seconds(300) : settings->timeout;
    if (of_.around_.sabotage != Sabotage::kDeadlineIgnored) {
      After(deadline_, [this] {
        const Error error{Code::kDeadlineExceeded, "the request did not end in time"};
        if (slot_ && program_ != nullptr) worker_.dispatcher().MarkUnanswered(slot_, error);
        of_.End(*this, Outcome::kTimedOut, error.message);
      });
    }
    if (asked_.patience < deadline_) {
      After(asked_.patience, [this] { of_.End(*this, Outcome::kLeft, ""); });
    }
    Acquire(Dispatcher::Attempt::kFirst);
  }

  const Asked& asked() const { return asked_; }
  Seen Outcomes(Outcome outcome, const std::string& why) const {
    return {.asked = asked_,
            .outcome = outcome,
            .why = why,
            .revision = revision_ ? revision_->key() : "",
            .took = of_.process_.Now() - start_,
            .executions = executions_};
  }
  bool Overdue(TimePoint now) const { return revision_ != nullptr && now > start_ + deadline_ + kDeadlineSlack; }
  void Leave() {
    if (program_ == nullptr) return;
    program_->guests.erase(asked_.number);
    --program_->inside[of_.around_.number];
    program_ = nullptr;
  }

 private:
  void After(Nanos delay, std::function<void()> run) {
    of_.process_.After(delay, [alive = std::weak_ptr(alive_), run = std::move(run)] {
      if (!alive.expired()) run();
    });
  }

  void Acquire(Dispatcher::Attempt attempt) {
    switch (worker_.dispatcher().Acquire(*revision_, *this, of_.process_.Now(), attempt)) {
      case Admission::kGranted:
        slot_ = slot();
        return Connect();
      case Admission::kRefused:
        return of_.End(*this, Outcome::kRefused, refusal()->message);
      case Admission::kWaiting:
        return;
    }
  }
  void OnSettled() override {
    slot_ = slot();
    if (!slot_) return of_.End(*this, Outcome::kRefused, refusal() ? refusal()->message : "no reason was given");
    Connect();
  }

  void Connect() {
    ip_ = slot_.instance->ip();
    After(of_.around_.chance.Between(Nanos(50'000), Nanos(500'000)), [this] { Arrive(); });
  }
  void Arrive() {
    const Backends::Way way = of_.around_.backends.Reach(of_.around_.number, ip_);
    if (way.reached == Backends::Reached::kRefused) return CannotConnect("connection refused");
    if (way.reached == Backends::Reached::kSilence) {
      return After(kConnectTimeout, [this] { CannotConnect("no answer"); });
    }
    Enter(*way.program);
  }
  void CannotConnect(const std::string& why) {
    worker_.dispatcher().MarkFailed(slot_, {Code::kUnavailable, why});
    GiveBack();
    if (++tried_ >= kInstancesTriedMax) return of_.End(*this, Outcome::kUnreached, why);
    Acquire(Dispatcher::Attempt::kRetry);
  }

  void Enter(Program& program) {
    const std::string what = "request " + std::to_string(asked_.number) + " in " + program.instance;
    if (program.revision != revision_->key()) {
      of_.around_.violation(what + " is for " + revision_->key() + " and reached " + program.revision);
    }
    if (!program.ever_ready) of_.around_.violation(what + ": the instance was never ready");
    if (++executions_ > 1) of_.around_.violation(what + " is executed a second time");
    program_ = &program;
    program.guests.emplace(asked_.number, static_cast<Guest*>(this));
    ++program.inside[of_.around_.number];
    uint32_t inside = 0;
    for (const auto& [activator, count] : program.inside) inside += count;
    if (program.limit != 0 && inside > program.limit) {
      of_.around_.violation(what + " of activator " + std::to_string(of_.around_.number) + ": " +
                            std::to_string(inside) + " requests, containerConcurrency is " +
                            std::to_string(program.limit));
    }
    if (of_.around_.sabotage == Sabotage::kSlotFreedEarly) GiveBack();
    After(asked_.works_for, [this] { Answer(); });
  }
  void Answer() {
    if (program_ == nullptr) return;
    // What is said into a cut arrives when it heals, or never.
    if (!of_.around_.backends.Answers(of_.around_.number, ip_)) return After(Millis(500), [this] { Answer(); });
    if (slot_) worker_.dispatcher().OnFirstByte(slot_, of_.process_.clock().Wall());
    Leave();
    of_.End(*this, Outcome::kAnswered, "");
  }
  void OnProgramDied() override {
    program_ = nullptr;
    const Error error{Code::kUnavailable, "the instance died"};
    if (slot_) worker_.dispatcher().MarkUnanswered(slot_, error);
    of_.End(*this, Outcome::kBroken, error.message);
  }

  void GiveBack() {
    if (slot_) worker_.dispatcher().Release(slot_, of_.process_.Now());
  }

  SimActivator& of_;
  WorkerPart& worker_;
  const Asked asked_;
  const TimePoint start_;
  const std::shared_ptr<const int> alive_ = std::make_shared<int>(0);
  std::shared_ptr<Revision> revision_;
  Nanos deadline_{0};
  Slot slot_;
  std::string ip_;
  Program* program_ = nullptr;
  int tried_ = 0;
  int executions_ = 0;
};

SimActivator::SimActivator(const ActivatorSurroundings& around, const MachineClock& clock)
    : around_(around),
      process_(around.time, clock),
      state_(process_.clock(),
             {.activator_id = "activator-" + std::to_string(around.number), .epoch = UnixNanos(clock.Wall())},
             kWorkers),
      load_end_(*this),
      control_(std::make_unique<Lane>(process_, around_.chance)) {
  for (uint32_t i = 0; i < kWorkers; ++i) workers_.push_back(std::make_unique<WorkerPart>(*this, i));
  around_.controller->ClientUp(*this);
  around_.autoscaler->ClientUp(load_end_);
  process_.After(kReportEvery, [this] { Report(); });
}

SimActivator::~SimActivator() {
  around_.controller->ClientDown();
  around_.autoscaler->ClientDown();
  while (!requests_.empty()) End(*requests_.begin()->second, Outcome::kReset, "the activator died");
}

void SimActivator::Request(Asked asked) {
  WorkerPart& worker = *workers_[around_.chance.Below(kWorkers)];
  const uint64_t number = asked.number;
  requests_.emplace(number, std::make_unique<Exchange>(*this, worker, std::move(asked))).first->second->Serve();
}

void SimActivator::End(Exchange& exchange, Outcome outcome, const std::string& why) {
  const auto ended = requests_.extract(exchange.asked().number);
  around_.on_end(ended.mapped()->Outcomes(outcome, why));
}

size_t SimActivator::waiting() const {
  size_t waiting = 0;
  state_.ledger().ForEach(
      [&waiting](const std::shared_ptr<Revision>& revision) { waiting += revision->queued.load(); });
  return waiting;
}

size_t SimActivator::OpenInstances(const std::string& key) const {
  size_t open = 0;
  state_.ledger().ForEach([&](const std::shared_ptr<Revision>& revision) {
    if (revision->key() != key) return;
    const RevisionView view = state_.table().ViewOf(*revision);
    if (view.instances) open = view.instances->open.size();
  });
  return open;
}

void SimActivator::AddSlots(std::map<std::string, std::vector<SlotFigures>>& figures) const {
  state_.ledger().ForEach([&](const std::shared_ptr<Revision>& revision) {
    const RevisionView view = state_.table().ViewOf(*revision);
    if (!view.instances || !view.settings || view.settings->container_concurrency == 0) return;
    SlotFigures of{.waiting = revision->queued.load(), .idle = 0, .ejected = false, .text = {}};
    for (const auto& instance : view.instances->open) {
      const uint32_t limit = instance->limit();
      const uint32_t inside = instance->in_flight();
      of.ejected = of.ejected || instance->ejected();
      if (instance->Open() && limit > inside) of.idle += limit - inside;
      of.text += " " + instance->id() + ":" + std::to_string(inside) + "/" + std::to_string(limit);
    }
    of.text = "activator " + std::to_string(around_.number) + " waiting " + std::to_string(of.waiting) + of.text +
              " over " + std::to_string(revision->slots_over.load());
    figures[revision->key()].push_back(std::move(of));
  });
}

const Asked* SimActivator::Overdue(TimePoint world_now) const {
  const TimePoint now = world_now + (process_.Now() - around_.time.now());
  for (const auto& [number, request] : requests_) {
    if (request->Overdue(now)) return &request->asked();
  }
  return nullptr;
}

void SimActivator::OnConnected() { Tell(state_.Hello("sim")); }

void SimActivator::Tell(std::optional<v1::ActivatorMessage> message) {
  if (message) around_.controller->Send(std::move(*message));
}

void SimActivator::OnMessage(const v1::RoutingUpdate& said) {
  v1::RoutingUpdate update = said;
  if (around_.sabotage == Sabotage::kFullStateMerged) update.set_full(false);
  activator::ControlState::Applied applied = state_.Apply(update);
  const auto left = std::make_shared<size_t>(workers_.size());
  for (const auto& worker : workers_) {
    if (!applied.publication) break;
    worker->lane().Post([this, &part = *worker, publication = applied.publication, left, full = said.full(),
                         sequence = said.sequence()] {
      part.Take(*publication);
      if (--*left > 0) return;
      control_->Post([this, full, sequence] {
        Tell(state_.Routed(sequence));
        routable_ = routable_ || full;
      });
    });
  }
  TellAll(std::move(applied.messages));
  for (const auto& revision : applied.more_slots) Wake(revision, revision->waiting_workers.load());
  TellAgainOfSlots();
  if (around_.sabotage != Sabotage::kDrainNotAwaited) return;
  for (const v1::Endpoints& endpoints : said.endpoints()) {
    for (const v1::Endpoint& endpoint : endpoints.endpoints()) {
      v1::ActivatorMessage message;
      message.mutable_drained()->set_instance_id(endpoint.instance_id());
      if (endpoint.draining()) Tell(std::move(message));
    }
  }
}

void SimActivator::Restore(const std::shared_ptr<Revision>& revision, const std::string& instance) {
  Wake(revision, state_.Restore(*revision, instance));
}

void SimActivator::Wake(const std::shared_ptr<Revision>& revision, uint64_t waiting) {
  for (; waiting != 0; waiting &= waiting - 1) {
    workers_[static_cast<size_t>(std::countr_zero(waiting))]->PostWake(revision);
  }
}

void SimActivator::TellAll(std::vector<v1::ActivatorMessage> messages) {
  for (v1::ActivatorMessage& message : messages) {
    if (around_.sabotage == Sabotage::kReturnedSlotKept && message.has_returned()) {
      // One that it did not give up, of each.
      for (auto& returned : *message.mutable_returned()->mutable_instances()) returned.set_returned(returned.returned() + 1);
    }
    Tell(std::move(message));
  }
}

void SimActivator::TellAgainOfSlots() {
  if (!state_.waits_for_slots() || std::exchange(tells_again_, true)) return;
  process_.After(activator::kSlotDemandEvery, [this] {
    tells_again_ = false;
    Tell(state_.SlotDemandAgain());
    TellAgainOfSlots();
  });
}

void SimActivator::Report() {
  if (around_.autoscaler->connected()) around_.autoscaler->Send(state_.Changes());
  if (around_.controller->connected()) Tell(state_.InstanceLoads());
  state_.CheckSlotLease();
  process_.After(kReportEvery, [this] { Report(); });
}

}  // namespace updraft::sim

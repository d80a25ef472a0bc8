#include "activator/feed/control_state.h"

#include <utility>

#include "core/base/backoff.h"

namespace updraft::activator {
namespace {

// How long an instance is left alone after so many failures in a row.
constexpr BackoffPolicy kEjection = {.first = Millis(100), .most = Seconds(10)};

}  // namespace

ControlState::ControlState(const Clock& clock, Reporter reporter, uint32_t worker_count, Lineage lineage)
    : clock_(clock),
      reporter_(std::move(reporter)),
      lineage_(std::move(lineage)),
      state_(worker_count),
      table_(std::make_shared<const RouteTable>()),
      ledger_(clock) {}

v1::ActivatorMessage ControlState::Hello(const std::string& version) {
  state_.ForgetLoads();
  v1::ActivatorMessage message;
  message.mutable_hello()->set_activator_id(reporter_.activator_id);
  v1::ActivatorHello& hello = *message.mutable_hello();
  hello.set_version(version);
  hello.set_started_ns(reporter_.epoch);
  hello.set_lineage(lineage_.id.empty() ? reporter_.activator_id : lineage_.id);
  hello.set_beside(lineage_.beside);
  // Others may have come meanwhile, and have been given what we were taken to have given up.
  if (lost_ && clock_.Now() >= *lost_ + kSlotLease) state_.ShareSlots();
  hello.set_alone(!state_.shares_slots());
  lost_.reset();
  if (hello.alone()) return message;
  for (const auto& [id, slots] : state_.HeldSlots()) {
    v1::HeldSlots& held = *hello.add_held();
    held.set_instance_id(id);
    held.set_slots(slots);
  }
  return message;
}

ControlState::Applied ControlState::Apply(const v1::RoutingUpdate& update) {
  const bool alone = !state_.shares_slots();
  Applied applied;
  applied.publication = std::make_shared<const Publication>(state_.Apply(FromProto(update), clock_.Wall()));
  applied.more_slots = applied.publication->more_slots;
  table_ = applied.publication->table;
  for (const Publication::Change& change : applied.publication->changes) {
    if (change.view.settings) {
      ledger_.Set(change.revision, change.view.instances != nullptr, change.view.settings);
    } else {
      ledger_.Remove(change.revision->key());
    }
  }
  for (const std::string& id : applied.publication->drained) applied.messages.push_back(Drained(id));
  if (update.sequence() == 0 && !update.full()) applied.publication = nullptr;
  if (!state_.shares_slots()) {
    if (!stopping_) lineage_.beside = false;
    short_.clear();
    return applied;
  }
  if (alone) FindShort();
  if (stopping_) state_.GiveUpSlots();
  if (auto returned = SlotsReturned()) applied.messages.push_back(std::move(*returned));
  v1::ActivatorMessage demand;
  for (const std::string& key : update.sharing().demand_of()) {
    const std::shared_ptr<Revision> revision = state_.FindRevision(key);
    Short once{.revision = revision, .running = 0, .waiting = 0};
    if (revision) (void)AddDemand(*demand.mutable_demand(), once);
  }
  if (demand.has_demand()) applied.messages.push_back(std::move(demand));
  return applied;
}

v1::ActivatorMessage ControlState::Routed(int64_t sequence) const {
  v1::ActivatorMessage message;
  message.mutable_applied()->set_sequence(sequence);
  return message;
}

std::optional<v1::ActivatorMessage> ControlState::OnDrained(const Instance* instance) {
  const auto id = state_.OnDrained(instance);
  return id ? std::optional(Drained(*id)) : std::nullopt;
}

v1::ActivatorMessage ControlState::Drained(const std::string& instance_id) {
  v1::ActivatorMessage message;
  message.mutable_drained()->set_instance_id(instance_id);
  return message;
}

ControlState::Ejection ControlState::OnEjected(const std::string& instance_id, uint32_t failures,
                                               const Error& error) const {
  Ejection ejection{.span = BackoffDelay(kEjection, static_cast<int>(failures), 1.0), .message = {}};
  ejection.message.mutable_failure()->set_instance_id(instance_id);
  ejection.message.mutable_failure()->set_reason(error.message);
  return ejection;
}

uint64_t ControlState::Restore(const Revision& revision, const std::string& instance_id) {
  Instance* instance = state_.FindInstance(revision.key(), instance_id);
  if (instance == nullptr) return 0;
  instance->Restore();
  return revision.waiting_workers.load(std::memory_order_seq_cst);
}

// ---- slots

std::optional<v1::ActivatorMessage> ControlState::SlotsReturned() {
  const SlotBook::Counts counts = state_.TakeReturnedSlots();
  if (counts.empty()) return std::nullopt;
  v1::ActivatorMessage message;
  message.mutable_returned()->set_epoch(state_.slot_epoch());
  for (const auto& [id, count] : counts) {
    v1::ReturnedSlots& returned = *message.mutable_returned()->add_instances();
    returned.set_instance_id(id);
    returned.set_returned(count);
  }
  return message;
}

// False: it is what was said last.
bool ControlState::AddDemand(v1::SlotDemand& demand, Short& of) const {
  const LoadReading load = of.revision->ReadLoad(clock_);
  const bool same = of.running == load.running && of.waiting == load.waiting;
  of.running = load.running;
  of.waiting = load.waiting;
  v1::RevisionDemand& said = *demand.add_revisions();
  said.set_revision(of.revision->key());
  said.set_running(of.running);
  said.set_waiting(of.waiting);
  return !same;
}

// Those that waited before slots were shared.
void ControlState::FindShort() {
  ledger_.ForEach([this](const std::shared_ptr<Revision>& revision) {
    Revision::SlotDemand armed = Revision::SlotDemand::kArmed;
    if (revision->queued.load() == 0) return;
    if (revision->slot_demand.compare_exchange_strong(armed, Revision::SlotDemand::kTold)) {
      short_[revision->key()].revision = revision;
    }
  });
}

std::vector<v1::ActivatorMessage> ControlState::OnSlotNews(const std::shared_ptr<Revision>& revision) {
  revision->slot_news.store(false, std::memory_order_seq_cst);
  std::vector<v1::ActivatorMessage> messages;
  if (!state_.shares_slots()) return messages;
  state_.LookForSlots(revision->key());
  if (auto returned = SlotsReturned()) messages.push_back(std::move(*returned));
  if (revision->slot_demand.load() != Revision::SlotDemand::kTold) return messages;
  const auto [item, added] = short_.try_emplace(revision->key());
  item->second.revision = revision;
  if (!added) return messages;
  (void)AddDemand(*messages.emplace_back().mutable_demand(), item->second);
  return messages;
}

// Said again as long as it may be news: while there are instances, others may have slots to spare.
std::optional<v1::ActivatorMessage> ControlState::SlotDemandAgain() {
  v1::ActivatorMessage message;
  v1::SlotDemand& demand = *message.mutable_demand();
  for (auto item = short_.begin(); item != short_.end();) {
    Revision& revision = *item->second.revision;
    const bool news = AddDemand(demand, item->second);
    const bool instances = state_.HasInstances(revision.key());
    if (!news && !instances) demand.mutable_revisions()->RemoveLast();
    if (item->second.waiting > 0) {
      ++item;
      continue;
    }
    revision.slot_demand.store(Revision::SlotDemand::kArmed, std::memory_order_seq_cst);
    // Who began to wait before that did not say so.
    Revision::SlotDemand armed = Revision::SlotDemand::kArmed;
    const bool waits = revision.queued.load(std::memory_order_seq_cst) > 0;
    if (waits && revision.slot_demand.compare_exchange_strong(armed, Revision::SlotDemand::kTold)) {
      ++item;
      continue;
    }
    item = short_.erase(item);
  }
  if (demand.revisions_size() == 0) return std::nullopt;
  return message;
}

void ControlState::OnControllerLost() { lost_ = clock_.Now(); }

void ControlState::CheckSlotLease() {
  if (lost_ && clock_.Now() >= *lost_ + kSlotLease) state_.GiveUpSlots();
}

std::vector<v1::ActivatorMessage> ControlState::StopServing() {
  stopping_ = true;
  lineage_.beside = true;
  state_.GiveUpSlots();
  std::vector<v1::ActivatorMessage> messages;
  if (auto returned = state_.shares_slots() ? SlotsReturned() : std::nullopt) messages.push_back(std::move(*returned));
  return messages;
}

std::optional<v1::ActivatorMessage> ControlState::InstanceLoads() {
  RoutingState::LoadChanges changes;
  ledger_.ForEachMet(
      [this, &changes](const auto&, const Revision& revision) { state_.TakeLoadChanges(revision.key(), changes); });
  if (changes.empty()) return std::nullopt;
  v1::ActivatorMessage message;
  for (const auto& [id, inside] : changes) {
    v1::InstanceLoad& load = *message.mutable_loads()->add_loads();
    load.set_instance_id(id);
    load.set_in_flight(inside);
  }
  return message;
}

std::optional<v1::LoadReport> ControlState::Demand(Revision& revision, WallTime queued) {
  const auto line = ledger_.Demand(revision, queued);
  return line ? std::optional(ToProto(reporter_, {*line})) : std::nullopt;
}

v1::LoadReport ControlState::Changes() { return ToProto(reporter_, ledger_.Changes()); }

v1::LoadReport ControlState::All() { return ToProto(reporter_, ledger_.All()); }

}  // namespace updraft::activator

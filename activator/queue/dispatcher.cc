#include "activator/queue/dispatcher.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "activator/queue/pick.h"
#include "core/base/check.h"

namespace updraft::activator {
namespace {

// Every so many releases a slot that this worker's own requests wait for is offered to the others.
constexpr uint32_t kHandOversInARow = 8;

Error CannotServe(const RevisionShard& shard) {
  const std::string& key = shard.revision.key();
  if (!shard.view.settings) return {Code::kUnavailable, "revision " + key + " is not available"};
  const RevisionFailure& failure = *shard.view.settings->failure;
  return {Code::kUnavailable, "revision " + key + " cannot serve: " + failure.reason + ": " + failure.message};
}

bool Fails(const RevisionShard& shard) {
  return !shard.view.settings || (shard.view.settings->failure && !shard.has_instances());
}

}  // namespace

Dispatcher::Dispatcher(uint32_t worker, DispatcherLimits limits, const RevisionViews& views,
                       DispatcherEvents& events)
    : worker_(worker), limits_(limits), views_(views), events_(events), random_(worker + 1) {}

Dispatcher::~Dispatcher() {
  UPDRAFT_CHECK(!settled_.linked());
  for (RingLink* shards : {&shards_, &removed_}) {
    while (shards->linked()) {
      auto* shard = static_cast<RevisionShard*>(shards->next);
      UPDRAFT_CHECK(shard->waiting_count == 0);
      shard->Unlink();
      const std::shared_ptr<Revision> last = std::move(shard->keep_alive);
    }
  }
}

Admission Dispatcher::Acquire(Revision& revision, Waiter& waiter, TimePoint now, Attempt attempt) {
  UPDRAFT_CHECK(waiter.state_ == Waiter::State::kIdle);
  RevisionShard& shard = ShardOf(revision);
  waiter.slot_ = {};
  waiter.refusal_.reset();
  waiter.shard_ = &shard;
  waiter.found_no_instance_ = false;
  if (attempt == Attempt::kFirst) shard.load.Arrived();
  // Behind those who came first, even if a slot is free this instant.
  if (shard.waiting_count == 0 || attempt == Attempt::kRetry) {
    if (Instance* instance = Pick(shard)) {
      shard.load.StartRunning(now);
      Grant(shard, waiter, *instance);
      return Admission::kGranted;
    }
  }
  return Enqueue(shard, waiter, now, attempt);
}

Admission Dispatcher::Enqueue(RevisionShard& shard, Waiter& waiter, TimePoint now, Attempt attempt) {
  Revision& revision = shard.revision;
  waiter.found_no_instance_ = !shard.has_instances();
  if (Fails(shard)) {
    // What failed may be mended by now: that is tried at the pace at which demands are cleared.
    if (shard.view.settings) RaiseDemand(shard);
    return Refuse(waiter, CannotServe(shard));
  }
  const bool full = revision.queued.fetch_add(1, std::memory_order_seq_cst) >= limits_.queue_length_max;
  if (full && attempt == Attempt::kFirst) {
    revision.queued.fetch_sub(1, std::memory_order_seq_cst);
    return Refuse(waiter, {Code::kResourceExhausted, "pending request queue full"});
  }
  if (attempt == Attempt::kFirst) {
    waiter.AppendTo(shard.waiting);
  } else {
    waiter.PrependTo(shard.waiting);
  }
  waiter.state_ = Waiter::State::kWaiting;
  ++shard.waiting_count;
  if (shard.waiting_count == 1) {
    revision.waiting_workers.fetch_or(shard.worker_bit, std::memory_order_seq_cst);
    // Once more: a slot freed before the bit was seen would otherwise be nobody's business.
    if (Instance* instance = Pick(shard)) {
      TakeOut(shard, waiter);
      shard.load.StartRunning(now);
      Grant(shard, waiter, *instance);
      return Admission::kGranted;
    }
  }
  shard.load.StartWaiting(now);
  if (waiter.found_no_instance_) RaiseDemand(shard);
  RaiseSlotDemand(shard);
  return Admission::kWaiting;
}

Admission Dispatcher::Refuse(Waiter& waiter, Error error) {
  waiter.refusal_ = std::move(error);
  return Admission::kRefused;
}

void Dispatcher::Cancel(Waiter& waiter, TimePoint now) {
  if (waiter.state_ == Waiter::State::kIdle) return;
  RevisionShard& shard = *waiter.shard_;
  if (waiter.state_ == Waiter::State::kWaiting) {
    TakeOut(shard, waiter);
    shard.load.StopWaiting(now);
    return;
  }
  waiter.Unlink();
  waiter.state_ = Waiter::State::kIdle;
  if (waiter.slot_) Release(waiter.slot_, now);
}

void Dispatcher::Release(Slot& slot, TimePoint now) {
  UPDRAFT_CHECK(slot.instance != nullptr);
  RevisionShard& shard = *slot.revision->shard(worker_);
  Instance& instance = *slot.instance;
  slot = {};
  --shard.slots_out;
  shard.load.StopRunning(now);
  Return(shard, instance, now);
}

void Dispatcher::MarkFailed(const Slot& slot, const Error& error) {
  Eject(slot, slot.instance->AddFailure(), error);
}

void Dispatcher::MarkUnanswered(const Slot& slot, const Error& error) {
  const uint32_t failures = slot.instance->AddFailure();
  if (failures < kUnansweredMax) return;
  const std::shared_ptr<const InstanceSet>& instances = slot.revision->shard(worker_)->view.instances;
  const auto is_another = [&slot](const auto& one) { return one.get() != slot.instance && one->Open(); };
  if (instances && std::ranges::any_of(instances->open, is_another)) Eject(slot, failures, error);
}

void Dispatcher::Eject(const Slot& slot, uint32_t failures, const Error& error) {
  if (!slot.instance->Eject()) return;
  slot.revision->shard(worker_)->traffic.ejections.Add();
  events_.OnEjected(slot.revision->shared_from_this(), *slot.instance, failures, error);
}

ColdStartTimes Dispatcher::OnFirstByte(const Slot& slot, WallTime wall) {
  slot.instance->Succeeded();
  ColdStartTimes times = slot.instance->cold_start();
  if (times.queued_ns == 0) return {};
  if (slot.cold) times.first_byte_ns = UnixNanos(wall);
  if (slot.instance->TakeFirstByte()) events_.OnColdStart(*slot.revision, *slot.instance, times);
  return slot.cold ? times : ColdStartTimes{};
}

void Dispatcher::Record(Revision& revision, const ResponseSample& sample) {
  ShardOf(revision).responses.Add(sample);
}

void Dispatcher::Update(Revision& revision, const RevisionView& view, TimePoint now) {
  RevisionShard* shard = revision.shard(worker_);
  if (shard == nullptr) return;
  shard->view = view;
  if (shard->keep_alive) ListByState(*shard);
  if (Fails(*shard)) {
    const Error error = CannotServe(*shard);
    RefuseAll(*shard, error, now);
    return;
  }
  Serve(*shard, now);
  if (shard->waiting_count > 0 && !shard->has_instances()) RaiseDemand(*shard);
}

void Dispatcher::Wake(Revision& revision, TimePoint now) {
  RevisionShard* shard = revision.shard(worker_);
  if (shard == nullptr) return;
  shard->wake_pending.store(false, std::memory_order_seq_cst);
  Serve(*shard, now);
  // Told of slots that it has no more use for: let the next one look.
  if (shard->waiting_count == 0) WakeAnother(*shard);
}

void Dispatcher::Deliver() {
  if (delivering_) return;
  delivering_ = true;
  while (settled_.linked()) {
    auto* waiter = static_cast<Waiter*>(settled_.next);
    waiter->Unlink();
    waiter->state_ = Waiter::State::kIdle;
    waiter->OnSettled();
  }
  delivering_ = false;
}

void Dispatcher::ForgetRemoved() {
  for (RingLink* link = removed_.next; link != &removed_;) {
    auto* shard = static_cast<RevisionShard*>(link);
    link = link->next;
    if (shard->slots_out > 0 || shard->waiting_count > 0) continue;
    shard->view = {};
    shard->Unlink();
    const std::shared_ptr<Revision> last = std::move(shard->keep_alive);
  }
}

void Dispatcher::ListByState(RevisionShard& shard) {
  shard.Unlink();
  shard.AppendTo(shard.view.settings ? shards_ : removed_);
}

RevisionShard& Dispatcher::ShardOf(Revision& revision) {
  RevisionShard* shard = revision.shard(worker_);
  if (shard == nullptr) {
    shard = &revision.MakeShard(worker_);
    events_.OnMet(revision.shared_from_this());
  }
  if (!shard->keep_alive) {
    shard->keep_alive = revision.shared_from_this();
    shard->view = views_.ViewOf(revision);
    ListByState(*shard);
  }
  return *shard;
}

Instance* Dispatcher::Pick(RevisionShard& shard) {
  if (!shard.has_instances()) return nullptr;
  return PickInstance(*shard.view.instances, shard.limit(), shard.slots_out, shard.next_instance, random_);
}

void Dispatcher::Serve(RevisionShard& shard, TimePoint now) {
  while (shard.waiting_count > 0) {
    Instance* instance = Pick(shard);
    if (instance == nullptr) return;
    auto* waiter = static_cast<Waiter*>(shard.waiting.next);
    TakeOut(shard, *waiter);
    shard.load.WaitingToRunning(now);
    Grant(shard, *waiter, *instance);
    Settle(*waiter);
  }
}

void Dispatcher::Grant(RevisionShard& shard, Waiter& waiter, Instance& instance) {
  ++shard.slots_out;
  waiter.slot_.revision = &shard.revision;
  waiter.slot_.instance = &instance;
  waiter.slot_.cold = waiter.found_no_instance_ && instance.cold_start().queued_ns != 0;
}

void Dispatcher::TakeOut(RevisionShard& shard, Waiter& waiter) {
  waiter.Unlink();
  waiter.state_ = Waiter::State::kIdle;
  --shard.waiting_count;
  shard.revision.queued.fetch_sub(1, std::memory_order_seq_cst);
  if (shard.waiting_count == 0) {
    shard.revision.waiting_workers.fetch_and(~shard.worker_bit, std::memory_order_seq_cst);
  }
}

void Dispatcher::Settle(Waiter& waiter) {
  const bool first = !settled_.linked();
  waiter.AppendTo(settled_);
  waiter.state_ = Waiter::State::kSettled;
  if (first && !delivering_) events_.DeliverLater();
}

void Dispatcher::RefuseAll(RevisionShard& shard, const Error& error, TimePoint now) {
  while (shard.waiting_count > 0) {
    auto* waiter = static_cast<Waiter*>(shard.waiting.next);
    TakeOut(shard, *waiter);
    shard.load.StopWaiting(now);
    waiter->refusal_ = error;
    Settle(*waiter);
  }
}

void Dispatcher::Return(RevisionShard& shard, Instance& instance, TimePoint now) {
  Revision& revision = shard.revision;
  const bool over = revision.slots_over.load(std::memory_order_relaxed) != 0;
  if (over && !instance.closed() && revision.TakeSlotOver()) {
    const Instance::AfterReturn after = instance.ReturnWithSlot();
    if (after == Instance::AfterReturn::kDrained) events_.OnDrained(&instance);
    return TellSlotNews(revision);
  }
  if (HandOver(shard, instance, now)) return;
  const Instance::AfterReturn after = instance.Return();
  // From here on the instance may be gone.
  if (after == Instance::AfterReturn::kDrained) events_.OnDrained(&instance);
  // Whoever wants slots back says so, then looks for idle ones: this one was not idle yet.
  if (revision.slots_over.load(std::memory_order_seq_cst) != 0) TellSlotNews(revision);
  WakeAnother(shard);
}

bool Dispatcher::HandOver(RevisionShard& shard, Instance& instance, TimePoint now) {
  if (shard.waiting_count == 0 || !instance.Open()) return false;
  const uint64_t waiting = shard.revision.waiting_workers.load(std::memory_order_relaxed);
  if (++shard.hand_overs % kHandOversInARow == 0 && (waiting & ~shard.worker_bit) != 0) return false;
  auto* waiter = static_cast<Waiter*>(shard.waiting.next);
  TakeOut(shard, *waiter);
  shard.load.WaitingToRunning(now);
  Grant(shard, *waiter, instance);
  Settle(*waiter);
  return true;
}

void Dispatcher::WakeAnother(RevisionShard& shard) {
  Revision& revision = shard.revision;
  const uint64_t waiting =
      revision.waiting_workers.load(std::memory_order_seq_cst) & ~shard.worker_bit;
  if (waiting == 0) return;
  // The first at or after `next_wake`, going round.
  const uint64_t from = waiting & (~uint64_t{0} << shard.next_wake);
  const auto worker = static_cast<uint32_t>(std::countr_zero(from != 0 ? from : waiting));
  shard.next_wake = (worker + 1) % Revision::kWorkersMax;
  if (revision.shard(worker)->wake_pending.exchange(true, std::memory_order_seq_cst)) return;
  events_.WakeWorker(worker, revision.shared_from_this());
}

void Dispatcher::RaiseDemand(RevisionShard& shard) {
  if (shard.revision.demand_pending.exchange(true, std::memory_order_seq_cst)) return;
  events_.OnDemand(shard.revision.shared_from_this());
}

void Dispatcher::RaiseSlotDemand(RevisionShard& shard) {
  using Demand = Revision::SlotDemand;
  if (shard.revision.slot_demand.load(std::memory_order_seq_cst) != Demand::kArmed) return;
  Demand armed = Demand::kArmed;
  if (shard.revision.slot_demand.compare_exchange_strong(armed, Demand::kTold)) TellSlotNews(shard.revision);
}

void Dispatcher::TellSlotNews(Revision& revision) {
  if (revision.slot_news.exchange(true, std::memory_order_seq_cst)) return;
  events_.OnSlotNews(revision.shared_from_this());
}

}  // namespace updraft::activator

// Gives requests their slots: one dispatcher per worker; all share the instances' words and nothing
// else. Everything here is called on its worker's thread. Needs no loop: what it wants done
// elsewhere it tells DispatcherEvents.
//
//   switch (dispatcher.Acquire(revision, waiter, now)) {
//     case Admission::kGranted: use waiter.slot(); break;
//     case Admission::kRefused: answer waiter.refusal(); break;
//     case Admission::kWaiting: waiter.OnSettled() follows; on a deadline or a lost client: Cancel(waiter)
//   }
//   ... dispatcher.OnFirstByte(slot, wall) at the response's first byte
//   ... dispatcher.Release(slot, now) at its end
//
// Deadlines are the caller's: it has a timer for the whole request anyhow.
#pragma once

#include <cstdint>
#include <memory>
#include <random>

#include "activator/queue/revision.h"
#include "activator/queue/shard.h"
#include "activator/queue/waiter.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/ring.h"

namespace updraft::activator {

// Refusals, all of them 503 to the client: kResourceExhausted: the queue is full; kUnavailable: the
// revision cannot serve, or is gone. The text is for the client.
enum class Admission { kGranted, kRefused, kWaiting };

// What a dispatcher wants done on other threads. Called on the dispatcher's thread.
class DispatcherEvents {
 public:
  // The worker counts for `revision` from now on. Once per revision and worker.
  virtual void OnMet(const std::shared_ptr<Revision>& revision) = 0;
  // `revision` has requests and no instance. Once, until Revision::demand_pending is cleared.
  virtual void OnDemand(const std::shared_ptr<Revision>& revision) = 0;
  // Closed, and its last request has ended. May be gone already: a name, not to be looked into.
  virtual void OnDrained(const Instance* instance) = 0;
  // It was ejected after `failures` failures in a row; someone must Restore() it some time.
  virtual void OnEjected(const std::shared_ptr<Revision>& revision, const Instance& instance, uint32_t failures,
                         const Error& error) = 0;
  // Of a revision whose slots are shared: some were given back, or requests wait for some. Once, until
  // Revision::slot_news is cleared.
  virtual void OnSlotNews(const std::shared_ptr<Revision>& revision) = 0;
  // The first response of an instance that was started for a waiting request.
  virtual void OnColdStart(const Revision& revision, const Instance& instance, const ColdStartTimes& times) = 0;
  // Worker `worker` is to call Wake(revision).
  virtual void WakeWorker(uint32_t worker, const std::shared_ptr<Revision>& revision) = 0;
  // Deliver() is to be called at the end of this turn.
  virtual void DeliverLater() = 0;

 protected:
  ~DispatcherEvents() = default;
};

// Where a dispatcher finds the newest state of a revision when it first meets it.
class RevisionViews {
 public:
  virtual RevisionView ViewOf(const Revision& revision) const = 0;

 protected:
  ~RevisionViews() = default;
};

struct DispatcherLimits {
  uint32_t queue_length_max = 10'000;  // requests waiting per revision, all workers together
};

// Unanswered requests in a row that eject an instance.
inline constexpr uint32_t kUnansweredMax = 3;

class Dispatcher {
 public:
  // `worker`: 0 ... Revision::worker_count()-1. All references must outlive the dispatcher.
  Dispatcher(uint32_t worker, DispatcherLimits limits, const RevisionViews& views, DispatcherEvents& events);
  // REQUIRES: nobody waits.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // ---- for requests

  // A retry is no further arrival: it was let into the queue before, and goes ahead of those who
  // came later.
  enum class Attempt { kFirst, kRetry };
  // REQUIRES: `waiter` is not waiting, and stays until it is settled or cancelled.
  Admission Acquire(Revision& revision, Waiter& waiter, TimePoint now, Attempt attempt = Attempt::kFirst);
  // Ends the wait without an outcome; no effect when it is over. A slot that was granted but not yet
  // told is given back.
  void Cancel(Waiter& waiter, TimePoint now);
  // `slot` is empty afterwards. A waiting request may get it.
  void Release(Slot& slot, TimePoint now);

  // The instance could not be reached: no requests go there for a while. The slot stays the caller's.
  void MarkFailed(const Slot& slot, const Error& error);
  // It took a request and gave no answer: it broke the connection, or a timeout came first. That may
  // be the request's fault; kUnansweredMax in a row, on all workers together and without a response
  // between, are the instance's. The last that takes requests goes on taking them: there is no better.
  void MarkUnanswered(const Slot& slot, const Error& error);

  // The first byte of a response has come. The times of the cold start that made this request wait,
  // complete; all zero when it did not wait for one.
  ColdStartTimes OnFirstByte(const Slot& slot, WallTime wall);

  // How a request ended, for the metrics. `revision`: of a slot that is held, or in the turn in which
  // it was found in the route table or its waiter was refused.
  void Record(Revision& revision, const ResponseSample& sample);

  // This worker's part of the revision's counts. As Record(), and as long as a slot of it is held.
  TrafficCounter& Traffic(Revision& revision) { return ShardOf(revision).traffic; }

  // Null while the revision is not known. Valid until the end of the turn.
  const std::shared_ptr<const RevisionSettings>& Settings(Revision& revision) {
    return ShardOf(revision).view.settings;
  }

  // ---- for the worker

  // The revision's settings or instances have changed; no effect if this worker never met it.
  void Update(Revision& revision, const RevisionView& view, TimePoint now);
  // Slots may have become free.
  void Wake(Revision& revision, TimePoint now);
  // Tells waiters their outcomes, those settled meanwhile included.
  void Deliver();
  // Lets go of revisions that were removed and that no request uses any more.
  void ForgetRemoved();

 private:
  RevisionShard& ShardOf(Revision& revision);
  void ListByState(RevisionShard& shard);
  Admission Enqueue(RevisionShard& shard, Waiter& waiter, TimePoint now, Attempt attempt);
  Admission Refuse(Waiter& waiter, Error error);
  Instance* Pick(RevisionShard& shard);
  void Serve(RevisionShard& shard, TimePoint now);
  void Grant(RevisionShard& shard, Waiter& waiter, Instance& instance);
  void TakeOut(RevisionShard& shard, Waiter& waiter);
  void Settle(Waiter& waiter);
  void RefuseAll(RevisionShard& shard, const Error& error, TimePoint now);
  void Return(RevisionShard& shard, Instance& instance, TimePoint now);
  bool HandOver(RevisionShard& shard, Instance& instance, TimePoint now);
  void WakeAnother(RevisionShard& shard);
  void RaiseDemand(RevisionShard& shard);
  void RaiseSlotDemand(RevisionShard& shard);
  void TellSlotNews(Revision& revision);
  void Eject(const Slot& slot, uint32_t failures, const Error& error);

  const uint32_t worker_;
  const DispatcherLimits limits_;
  const RevisionViews& views_;
  DispatcherEvents& events_;

  std::minstd_rand random_;
  RingLink shards_;   // of the revisions that this worker uses
  RingLink removed_;  // the same, of those that are not declared: few, and looked through at each update
  RingLink settled_;  // waiters whose outcome is not yet told
  bool delivering_ = false;
};

}  // namespace updraft::activator

#include "activator/worker.h"

#include <utility>

namespace updraft::activator {

Worker::Worker(uint32_t index, Loop& loop, const Clock& clock, DispatcherLimits limits, WorkerEvents& events)
    : index_(index),
      loop_(loop),
      clock_(clock),
      events_(events),
      routes_(std::make_shared<const RouteTable>()),
      dispatcher_(index, limits, *this, *this) {}

void Worker::Publish(std::shared_ptr<const Publication> publication, std::function<void()> taken) {
  loop_.Post([this, publication = std::move(publication), taken = std::move(taken)]() mutable {
    Take(*publication);
    publication.reset();
    taken();
  });
}

void Worker::Take(const Publication& publication) {
  // The old table goes after this: the dispatcher may still look into it.
  const std::shared_ptr<const RouteTable> old = std::exchange(routes_, publication.table);
  for (const Publication::Change& change : publication.changes) {
    dispatcher_.Update(*change.revision, change.view, loop_.Now());
  }
  dispatcher_.ForgetRemoved();
}

void Worker::PostWake(std::shared_ptr<Revision> revision) {
  loop_.Post([this, revision = std::move(revision)] { dispatcher_.Wake(*revision, loop_.Now()); });
}

void Worker::OnDemand(const std::shared_ptr<Revision>& revision) { events_.OnDemand(revision, clock_.Wall()); }

void Worker::OnEjected(const std::shared_ptr<Revision>& revision, const Instance& instance, uint32_t failures,
                       const Error& error) {
  events_.OnEjected(revision, instance.id(), failures, error);
}

void Worker::OnColdStart(const Revision& revision, const Instance& instance, const ColdStartTimes& times) {
  events_.OnColdStart(revision.key(), instance.id(), times);
}

void Worker::WakeWorker(uint32_t worker, const std::shared_ptr<Revision>& revision) {
  workers_[worker]->PostWake(revision);
}

}  // namespace updraft::activator

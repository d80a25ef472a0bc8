// One worker's own part of a revision. Its thread only, but for what is marked.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "activator/queue/revision.h"
#include "activator/stats/load_counter.h"
#include "activator/stats/response_counter.h"
#include "activator/stats/traffic_counter.h"
#include "core/base/ring.h"

namespace updraft::activator {

struct RevisionShard : RingLink {  // in its dispatcher's list while `keep_alive` is set
  RevisionShard(Revision& of, uint32_t worker) : revision(of), worker_bit(uint64_t{1} << worker) {}

  Revision& revision;
  const uint64_t worker_bit;
  std::shared_ptr<Revision> keep_alive;  // while the worker uses the revision
  RevisionView view;
  RingLink waiting;  // Waiters, first come first
  uint32_t waiting_count = 0;
  uint32_t slots_out = 0;
  uint32_t next_instance = 0;  // PickInstance()'s
  uint32_t hand_overs = 0;
  uint32_t next_wake = 0;      // the worker to look at first when slots become free

  std::atomic<bool> wake_pending{false};  // any thread: the worker has been told, and has not yet looked
  LoadCounter load;                       // any thread reads
  ResponseCounter responses;              // any thread reads
  TrafficCounter traffic;                 // any thread reads

  uint32_t limit() const { return view.settings ? view.settings->container_concurrency : 0; }
  bool has_instances() const { return view.instances && !view.instances->open.empty(); }
};

}  // namespace updraft::activator

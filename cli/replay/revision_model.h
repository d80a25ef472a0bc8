// One revision's instances and requests in a replay: requests are held or run, instances start,
// take requests and go. Pure: the time is handed in.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "autoscaler/collect/load_book.h"
#include "core/base/clock.h"

namespace updraft::cli {

struct ReplayedRequest {
  TimePoint at = {};
  Nanos duration{0};
  int revision = 0;
  TimePoint began = {};  // when an instance took it
  bool cold = false;     // it found no instance that takes requests
};

class RevisionModel {
 public:
  explicit RevisionModel(int container_concurrency) : concurrency_(container_concurrency) {}

  struct Begun {
    size_t request = 0;
    uint64_t instance = 0;
  };

  // A request arrives. It begins at once when an instance has room, else it waits.
  std::optional<Begun> Arrive(size_t request, TimePoint now);
  // A request has ended. What begins in its place.
  std::optional<Begun> End(uint64_t instance, TimePoint now);
  // A start has come to its end. What begins then; empty also when it was called off meanwhile.
  std::vector<Begun> Ready(uint64_t instance, TimePoint now);

  // As many instances as decided: returns those that start now. What is too much is called off or
  // takes no more requests: what starts first, then what is idle, the youngest first.
  std::vector<uint64_t> Resize(int desired, TimePoint now);

  int ready() const;
  int starting() const;
  size_t waiting() const { return waiting_.size(); }
  int running() const;
  int existing() const { return static_cast<int>(instances_.size()); }
  uint64_t started() const { return next_; }

  // Integrals up to `now`.
  autoscaler::LoadFigures Load(TimePoint now);
  double InstanceSeconds(TimePoint now);

 private:
  struct Instance {
    uint64_t id = 0;
    bool ready = false;
    bool leaving = false;
    int running = 0;
  };

  void Advance(TimePoint now);
  Instance* WithRoom();
  Instance* Find(uint64_t id);
  void RemoveIfDone(uint64_t id);

  const int concurrency_;            // 0: unlimited
  std::vector<Instance> instances_;  // oldest first
  std::deque<size_t> waiting_;
  uint64_t next_ = 0;
  uint64_t arrivals_ = 0;
  TimePoint advanced_;
  double request_seconds_ = 0;
  double instance_seconds_ = 0;
};

}  // namespace updraft::cli

// Whether a revision that cannot serve is tried further, or goes to zero and stays there. Pure.
//
// What counts are the instances that got a node: one that waits for room says nothing. The revision
// is given up when all of them are beyond hope at the same time, and from then on whatever becomes
// of them: that they go, that one runs once more, that something else is told of them. Only these
// begin anew: one is ready; they would be made of something else (a ConfigMap has changed, say); or
// some are wanted again after none was, which is what a request does. So nothing swings by itself.
#pragma once

#include "controller/instances/instance.h"

namespace updraft::controller {

enum class Trial {
  kUnjudged,  // by this process: the nodes have not been heard
  kOn,
  kGivenUp,
};

// Of the instances that should run and are of this very revision.
struct TrialFacts {
  int ready = 0;
  int placed = 0;          // those that are ready included
  int beyond_hope = 0;     // of those placed
  int waiting = 0;         // for a node
  bool broken = false;     // the stored conditions say so: all that outlives a controller
  bool timed_out = false;  // says the autoscaler

  bool operator==(const TrialFacts&) const = default;
};

Trial NextTrial(Trial before, const TrialFacts& facts);

// Has crashed so often in a row that another run is not expected to go better. To be asked at each
// report: true as of one in back-off. Its runs in between bring no hope until one is ready.
bool CrashLoops(const v1::InstanceReport& report);

// Cannot take a request now, and will not in the next seconds. `start_failures`: in a row, of its
// revision.
bool HopelessNow(const Instance& instance, int start_failures);

// The same, its runs between two crashes included.
inline bool BeyondHope(const Instance& instance, int start_failures) {
  return instance.crash_loops || HopelessNow(instance, start_failures);
}

}  // namespace updraft::controller

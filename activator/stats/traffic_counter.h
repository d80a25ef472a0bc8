// What passed between clients and a revision's instances beside whole responses, as one worker saw it.
// One thread writes, any thread reads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "activator/stats/duration_histogram.h"
#include "activator/stats/event_count.h"

namespace updraft::activator {

// Why a request did not end as its instance would have had it.
enum class AbortCause : uint8_t {
  kClient,    // went away, or did not send the body it announced
  kInstance,  // broke the connection, or could not be reached
  kTimeout,   // one of the revision's
  kProtocol,  // what the client or the instance sent was not HTTP
};
inline constexpr std::array<std::string_view, 4> kAbortCauses = {"client", "instance", "timeout", "protocol"};

struct TrafficTotals {
  uint64_t bytes_in = 0;   // of bodies and tunnels, to instances
  uint64_t bytes_out = 0;  // and from them
  uint64_t retries = 0;
  uint64_t ejections = 0;
  std::array<uint64_t, kAbortCauses.size()> aborts{};
  DurationTotals waits{};
};

class TrafficCounter {
 public:
  void AddAbort(AbortCause cause) { aborts_[static_cast<size_t>(cause)].Add(); }
  EventCount bytes_in;
  EventCount bytes_out;
  EventCount retries;    // sent again, to the same instance or another: none had seen them
  EventCount ejections;  // of instances
  DurationHistogram waits;  // of requests that found no free slot

  void AddTo(TrafficTotals& totals) const {  // any thread
    totals.bytes_in += bytes_in.value();
    totals.bytes_out += bytes_out.value();
    totals.retries += retries.value();
    totals.ejections += ejections.value();
    for (size_t i = 0; i < aborts_.size(); ++i) totals.aborts[i] += aborts_[i].value();
    waits.AddTo(totals.waits);
  }

 private:
  std::array<EventCount, kAbortCauses.size()> aborts_{};
};

}  // namespace updraft::activator

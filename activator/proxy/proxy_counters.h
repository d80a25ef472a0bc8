// What happens to requests outside any revision's own counts. One worker writes, any thread reads.
#pragma once

#include "activator/stats/event_count.h"

namespace updraft::activator {

struct ProxyCounters {
  EventCount unrouted;  // no route for the request's host
  EventCount connects;  // connections opened to instances
  EventCount connect_failures;
  EventCount repeats;        // requests sent again because no instance had seen them
  EventCount client_aborts;  // clients that went away before the end of their response
  EventCount timeouts;       // requests ended by one of their revision's timeouts
};

}  // namespace updraft::activator

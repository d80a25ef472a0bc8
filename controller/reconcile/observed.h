// What the runtime side tells the reconcilers: how a revision's instances fare and what activators
// know. Levels, not events: asked whenever an object is looked at.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/api/json.h"

namespace updraft::controller {

// The autoscaler's word on whether the revision takes requests (ActiveState in scaling.proto).
enum class Activity {
  kUnknown,     // nothing was heard since this process started
  kActivating,  // instances were asked for, requests wait
  kActive,
  kInactive,  // at zero: no traffic
  kTimedOut,  // it gave up activating
};

struct RevisionObserved {
  // False while a restarted controller has not heard from all nodes: counts and failures say
  // nothing.
  bool known = false;
  int ready = 0;
  int starting = 0;
  std::optional<int> desired = std::nullopt;  // as decided; nullopt: nobody has
  Activity activity = Activity::kUnknown;
  bool initialized =
      false;  // as many were ready at once as its scale bounds ask for, at least once

  // Why instances that should run do not. Given for as long as it is the newest that is known about
  // such an instance, so also while the next try is under way; gone when one is ready or none is
  // wanted.
  struct Failure {
    std::string reason;   // ExitCode<N>, OOMKilled, ErrImagePull, ImagePullBackOff, Unschedulable,
                          // CreateContainerError, ...
    std::string message;  // for ExitCode<N>: the termination message or the log's tail alone
  };
  std::optional<Failure> failure = std::nullopt;
};

// Loop thread only.
class RevisionObserver {
 public:
  virtual RevisionObserved Observe(std::string_view ns, std::string_view name) const = 0;

 protected:
  ~RevisionObserver() = default;
};

// Loop thread only.
class RouteObserver {
 public:
  // Whether the activators route as RouteFingerprint() (route_table.h) of the route's state now
  // says.
  virtual bool Programmed(std::string_view ns, std::string_view name,
                          std::string_view fingerprint) const = 0;

 protected:
  ~RouteObserver() = default;
};

// Whether the Revision's status says that its initial scale was reached once, also when it fails
// now.
bool WasInitialized(const Json& revision);

}  // namespace updraft::controller

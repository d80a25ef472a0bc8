// When the probes of one run of a container are due, and what their results mean: kubelet's rules,
// with Knative's aggressive probing (periodSeconds: 0) for readiness.
//
// Pure: no clock, no I/O. The caller (prober.h) makes the attempts that TakeDue() names.
//
//   startup    runs first and holds the other two back; its success ends it, its failure asks for a
//   restart readiness  not ready until it succeeds; afterwards it may flap liveness   alive until
//   it fails; its failure asks for a restart
//
// A restart that was asked for is final: the next run of the container gets a new machine.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "core/base/clock.h"

namespace updraft::node_agent {

enum class ProbeKind { kStartup, kReadiness, kLiveness };
inline constexpr size_t kProbeKinds = 3;

// The pace while the probe does not pass; once it does, `ProbePolicy::period` rules.
struct QuickPace {
  Nanos first = Millis(5);  // between the starts of two attempts; grows by half each time
  Nanos most = Millis(50);  // Knative's figure
  Nanos timeout =
      Millis(100);  // of the first attempt; doubles with each that timed out, to the policy's
  Nanos lasts = Seconds(10);  // since the container started; then `later` is the pace
  Nanos later = Millis(250);
};

struct ProbePolicy {
  Nanos initial_delay{0};  // since the container started
  Nanos period = Seconds(10);
  Nanos timeout = Seconds(1);
  int success_threshold = 1;  // in a row
  int failure_threshold = 3;  // in a row
  std::optional<QuickPace> quick = std::nullopt;
};

// nullopt: the container has no such probe.
struct ProbePolicies {
  std::optional<ProbePolicy> startup = std::nullopt;
  std::optional<ProbePolicy> readiness = std::nullopt;
  std::optional<ProbePolicy> liveness = std::nullopt;
};

// kUnknown: the attempt itself could not be made; it counts neither way.
enum class ProbeResult { kSuccess, kFailure, kUnknown };

struct DueProbe {
  ProbeKind kind = ProbeKind::kReadiness;
  Nanos timeout{0};

  bool operator==(const DueProbe&) const = default;
};

struct ContainerHealth {
  bool started = false;
  bool ready = false;                               // implies started
  std::optional<ProbeKind> restart = std::nullopt;  // the probe that asks for it

  bool operator==(const ContainerHealth&) const = default;
};

class ProbeMachine {
 public:
  ProbeMachine(const ProbePolicies& policies, TimePoint started);

  // The attempts to make now. Each is in flight until its OnResult(); no second one of its kind is
  // due before.
  std::vector<DueProbe> TakeDue(TimePoint now);

  // When TakeDue() will have something to say; nullopt: not before a result arrives.
  std::optional<TimePoint> WakeAt() const;

  // Also accepted when no attempt is in flight: something else saw what the probe would have seen.
  void OnResult(ProbeKind kind, ProbeResult result, TimePoint now);

  // The serving port was seen to listen: what waits to become started or ready is tried at once.
  void OnListening(TimePoint now);

  // The time before which the user wants no attempt of this kind.
  TimePoint FirstAllowed(ProbeKind kind) const;

  ContainerHealth Health() const;

 private:
  struct Track {
    ProbePolicy policy{};
    bool in_flight = false;
    bool again_at_once =
        false;             // a failure in flight says nothing about the port that listens by now
    bool passing = false;  // the verdict, after thresholds
    int same_in_a_row = 0;
    ProbeResult last = ProbeResult::kUnknown;
    TimePoint began{};
    TimePoint next{};
    Nanos pace{0};
    Nanos timeout{0};
  };

  std::optional<Track> NewTrack(const std::optional<ProbePolicy>& policy, bool passing) const;
  bool MayRun(ProbeKind kind) const;
  void Count(Track& track, ProbeResult result) const;
  void Schedule(Track& track, TimePoint now) const;
  std::optional<Track>& At(ProbeKind kind) { return tracks_[static_cast<size_t>(kind)]; }
  const std::optional<Track>& At(ProbeKind kind) const {
    return tracks_[static_cast<size_t>(kind)];
  }

  const TimePoint started_at_;
  std::array<std::optional<Track>, kProbeKinds> tracks_;
  std::optional<ProbeKind> restart_;
};

}  // namespace updraft::node_agent

// One instance's life, from its spec to nothing. Pure: events and the time in, actions out.
//
// Each container goes its own way:
//
//   state      what happens                      next       actions
//   ---------  --------------------------------  ---------  ----------------------------------------
//   Waiting    its turn has come, image is here  Preparing  PrepareRoot
//   Preparing  network is here                   Creating   Create
//   Creating   Created                           Starting   Start
//              CreateFailed                      Removing   Remove
//   Starting   Started, or it listens            Running    Probe
//              StartFailed, Exited               Removing   Remove
//   Running    Stop, or a probe asks             Ending     Signal(SIGTERM)
//              Exited                            Removing   Remove
//   Ending     grace has passed                  Ending     Signal(SIGKILL), at last Remove
//              Exited                            Removing   Remove
//   Removing   Removed                           Gone when stopping, Done for an init container that succeeded,
//                                                else Backoff
//   Backoff    time has passed                   Waiting
//
// Stop takes what has not started straight to Removing or Gone. Init containers run one after the other
// before the others, which run side by side. Images and the network are fetched from the beginning on.
//
// The instance's phase follows from its containers:
//
//   STOPPING     Stop was heard                      BACKOFF   a container waits to run again
//   READY        serving container listens, all containers are ready
//   UNREADY      was ready before, in the same run   STARTING  serving container runs, or is coming back
//   PENDING      before that                         STOPPED   all Gone; FAILED when it was evicted
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "node-agent/instance/instance_events.h"
#include "node-agent/instance/restart_policy.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

enum class RunState { kWaiting, kPreparing, kCreating, kStarting, kRunning, kEnding, kRemoving, kBackoff, kDone, kGone };

// What is known of a container that an earlier agent left behind.
struct AdoptedContainer {
  int container = 0;
  int run = 0;
  bool running = false;    // else its remains are removed and it runs again
  bool was_ready = false;
  int restarts = 0;
  std::optional<v1::Termination> last_termination = std::nullopt;
  WallTime started = {};
};

class InstanceMachine {
 public:
  // kInvalidArgument for a spec that can never run.
  static Status Check(const v1::InstanceSpec& spec);

  // REQUIRES: Check(spec). Does nothing before event::Begin.
  explicit InstanceMachine(std::shared_ptr<const v1::InstanceSpec> spec, RestartPolicy policy = {});

  // Before event::Begin, which then takes up what runs instead of starting anew. `ip`: that of the network it kept.
  void Adopt(const std::vector<AdoptedContainer>& containers, const std::string& ip, Moment at);

  // What is to be done, in this order. A Report is first, since requests wait for it.
  std::vector<Action> Handle(const Event& event, Moment at);

  // When event::Tick is due.
  std::optional<TimePoint> WakeAt() const;

  const v1::InstanceSpec& spec() const { return *spec_; }
  const v1::Container& container(int place) const { return *containers_[static_cast<size_t>(place)].spec; }
  int serving() const { return serving_; }
  v1::InstancePhase phase() const { return phase_; }
  bool stopping() const { return stopping_; }
  RunState state(int place) const { return containers_[static_cast<size_t>(place)].state; }

  // As of the last event; `sequence` counts the Report actions.
  const v1::InstanceReport& report() const { return report_; }
  int restarts(int place) const { return containers_[static_cast<size_t>(place)].restarts; }
  const std::optional<v1::Termination>& last_termination(int place) const {
    return containers_[static_cast<size_t>(place)].last_termination;
  }

 private:
  enum class Presence { kAbsent, kWanted, kHere };  // of an image, of the network

  // Why a run is over, or never was.
  enum class Ending { kNone, kCrash, kConfig, kMachine, kSuccess };

  struct ContainerState {
    const v1::Container* spec = nullptr;
    bool init = false;
    RunState state = RunState::kWaiting;
    int run = -1;
    Presence image = Presence::kAbsent;
    int image_failures = 0;
    std::optional<TimePoint> image_retry = std::nullopt;
    Ending ending = Ending::kNone;  // of the last run that is over
    int restarts = 0;
    int crashes = 0;                // in a row, for the back-off
    int machine_failures = 0;       // in a row
    std::optional<TimePoint> backoff_until = std::nullopt;
    std::optional<TimePoint> kill_at = std::nullopt;  // when kEnding: SIGKILL, then Remove
    bool killed = false;
    TimePoint started = {};
    WallTime started_wall = {};     // of the present run, or of the last one
    bool healthy = false;           // its probes say ready
    bool believed = false;          // healthy only because an earlier agent said so
    std::optional<v1::Termination> last_termination = std::nullopt;
    std::optional<v1::Failure> failure = std::nullopt;
  };

  void On(const event::Begin& event, Moment at);
  void On(const event::ImageReady& event, Moment at);
  void On(const event::ImageFailed& event, Moment at);
  void On(const event::NetworkReady& event, Moment at);
  void On(const event::NetworkFailed& event, Moment at);
  void On(const event::Created& event, Moment at);
  void On(const event::CreateFailed& event, Moment at);
  void On(const event::Started& event, Moment at);
  void On(const event::StartFailed& event, Moment at);
  void On(const event::Listening& event, Moment at);
  void On(const event::Health& event, Moment at);
  void On(const event::Exited& event, Moment at);
  void On(const event::Removed& event, Moment at);
  void On(const event::Stop& event, Moment at);
  void On(const event::Evict& event, Moment at);
  void On(const event::Tick& event, Moment at);

  ContainerState* Find(const RunId& run);  // nullptr: of an earlier run
  RunId Current(const ContainerState& container) const;
  bool IsServing(const ContainerState& container) const;
  void Runs(ContainerState& container, Moment at);
  void Failed(ContainerState& container, event::Blame blame, const std::string& message, Moment at);
  void Crashed(ContainerState& container, Moment at);
  void End(ContainerState& container, Nanos grace, Moment at);
  void Remove(ContainerState& container);
  void StopContainer(ContainerState& container, Moment at);
  void Fetch();
  void Advance(Moment at);
  bool HasTurn(const ContainerState& container) const;
  void KillOverdue(ContainerState& container, Moment at);

  // instance_phase.cc: what the containers' states amount to.
  void Settle(Moment at);
  v1::InstancePhase PhaseNow() const;
  bool AllReady() const;
  v1::InstanceReport ReportNow() const;
  v1::ContainerReport ReportOf(const ContainerState& container) const;
  std::optional<v1::Failure> FailureNow() const;
  void Do(Action action) { actions_.push_back(std::move(action)); }

  const std::shared_ptr<const v1::InstanceSpec> spec_;
  const RestartPolicy policy_;
  int serving_ = 0;
  std::vector<ContainerState> containers_;
  Presence network_ = Presence::kAbsent;
  int network_failures_ = 0;
  std::optional<TimePoint> network_retry_;
  std::optional<v1::Failure> network_failure_;
  std::string ip_;
  bool begun_ = false;
  bool announce_ = false;  // a report is owed, whatever has changed
  bool stopping_ = false;
  std::optional<v1::Failure> eviction_;  // why it is stopping, when nobody has asked for it
  bool over_ = false;
  Nanos grace_{0};
  bool listening_ = false;
  bool was_ready_ = false;                     // in the serving container's present run
  bool ran_ = false;                           // the serving container, once
  std::optional<TimePoint> believed_until_;    // adopted as ready; its probes have not confirmed it yet
  v1::ColdStart cold_start_;
  v1::InstancePhase phase_ = v1::INSTANCE_PENDING;
  v1::InstanceReport report_;
  std::vector<Action> actions_;
};

}  // namespace updraft::node_agent

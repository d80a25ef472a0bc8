// Carries out what one instance's state machine says, and tells it what comes of it. Loop thread only.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/loop.h"
#include "node-agent/instance/cgroup_usage.h"
#include "node-agent/instance/instance_machine.h"
#include "node-agent/instance/live_run.h"
#include "node-agent/instance/out_of_memory.h"
#include "node-agent/instance/run_files.h"
#include "node-agent/instance/surroundings.h"
#include "node-agent/probe/listen_watcher.h"
#include "node-agent/probe/prober.h"

namespace updraft::node_agent {

// What all instances share. Everything outlives them.
struct InstanceTools {
  RunTools run;
  NetworkSource& networks;
  ProbeRunner& probes;
  const RunFiles& files;
  CgroupRoot cgroups;
  RestartPolicy restarts = {};
};

// What an instance tells its host. Calls come from within the instance's own functions.
class InstanceListener {
 public:
  virtual void OnReport(const v1::InstanceReport& report) = 0;
  // Nothing of it is left; it is destroyed later, not from within this call.
  virtual void OnOver(const std::string& instance_id) = 0;

 protected:
  ~InstanceListener() = default;
};

class LiveInstance {
 public:
  LiveInstance(const InstanceTools& tools, std::shared_ptr<const v1::InstanceSpec> spec, InstanceListener& listener);
  ~LiveInstance();
  LiveInstance(const LiveInstance&) = delete;
  LiveInstance& operator=(const LiveInstance&) = delete;

  // Takes up what an earlier agent started. Instead of the first Begin(); `records` are the containers' by place.
  void Adopt(const std::vector<AdoptedContainer>& containers, const std::map<int, const ContainerRecord*>& records,
             const InstanceNetwork& network);
  void Begin() { Handle(event::Begin{}); }
  void Stop(Nanos grace) { Handle(event::Stop{grace}); }
  void Evict(const std::string& message) { Handle(event::Evict{message}); }

  // The task of the present run of some container of this instance.
  void OnTaskExit(const TaskExit& exit);
  void OnOutOfMemory(const std::string& container_id);
  // The runtime was out of reach and holds these tasks now: whoever should run and does not has ended unheard.
  void CompareWith(const std::map<std::string, TaskState>& tasks);

  // Of its running containers together, from their cgroups; nullopt: none runs, or not all can be read.
  std::optional<CgroupUsage> Usage() const;

  const InstanceMachine& machine() const { return machine_; }
  // Whether a container in the runtime is one that this instance looks after.
  bool Holds(const std::string& container_id) const;

 private:
  struct Place {
    std::unique_ptr<LiveRun> run;
    std::unique_ptr<Prober> prober;
    std::unique_ptr<ListenWatcher> watcher;
    std::optional<UsableImage> image;
    bool out_of_memory = false;
    bool exit_told = false;  // of the present run
  };

  void Handle(Event event);
  void CarryOut(const Action& action);
  void Do(const action::EnsureImage& action);
  void Do(const action::ClaimNetwork& action);
  void Do(const action::PrepareRoot& action);
  void Do(const action::Create& action);
  void Do(const action::Start& action);
  void Do(const action::Probe& action);
  void Do(const action::Signal& action);
  void Do(const action::Remove& action);
  void Do(const action::RememberReady& action);
  void Do(const action::ReleaseNetwork& action);
  void Do(const action::Report& action);
  void Do(const action::Forget& action);

  std::unique_ptr<LiveRun> NewRun(const RunId& run);
  Place& PlaceOf(const RunId& run) { return places_[static_cast<size_t>(run.container)]; }
  Place* Find(const std::string& container_id);
  void OnNetwork(const Result<InstanceNetwork>& network);
  void WatchPort(const RunId& run);
  void OnListening(const RunId& run);
  void FinishExit(const RunId& run, const TaskExit& exit, bool out_of_memory);
  std::string ExitMessage(const RunId& run, bool failed) const;
  void SetTimer();

  const InstanceTools tools_;
  InstanceListener& listener_;
  InstanceMachine machine_;
  std::vector<Place> places_;
  std::optional<InstanceNetwork> network_;
  std::deque<Event> events_;
  bool handling_ = false;
  Loop::TimerId timer_ = 0;
  std::optional<TimePoint> timer_at_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace updraft::node_agent

// The activator's control loop: takes the controller's word to the workers, and the workers' news to
// the controller and the autoscaler. No request passes through it, and none waits for a timer of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "activator/feed/control_state.h"
#include "activator/metrics.h"
#include "activator/tls_metrics.h"
#include "activator/worker.h"
#include "core/base/loop.h"
#include "core/rpc/link.h"
#include "updraft/v1/routing.grpc.pb.h"
#include "updraft/v1/scaling.grpc.pb.h"

namespace updraft::activator {

struct ControlOptions {
  std::string activator_id = {};
  Lineage lineage = {};
  std::string version = {};
  std::string controller = {};  // gRPC targets
  std::string autoscaler = {};
};

// Loop thread only, but for WorkerEvents.
class Control final : public WorkerEvents {
 public:
  // `routable` runs once, when the workers route by the controller's first full state. `request_log`, if
  // there is one, is told what the controller says of it. The loop and the clock must outlive the object,
  // and the workers must have stopped before it goes.
  Control(Loop& loop, const Clock& clock, ControlOptions options, metrics::Exposition& exposition,
          std::function<void()> routable, std::function<void(const v1::RequestLog&)> request_log = {});
  ~Control();

  // Connects. `proxies`: the workers' counters, for the metrics.
  void Start(std::vector<Worker*> workers, std::vector<const ProxyCounters*> proxies);

  // Ok once a full state is routed and until StopServing().
  Status Ready() const;
  void StopServing();
  // Those of routes, by their first host.
  std::vector<ServedCertificate> ServedCertificates() const;

  // Whether there is a cluster-local name of a service, as routed now.
  bool KnowsInside(std::string_view host) const;

  void OnMet(std::shared_ptr<Revision> revision) override;
  void OnDemand(std::shared_ptr<Revision> revision, WallTime queued) override;
  void OnDrained(const Instance* instance) override;
  void OnEjected(std::shared_ptr<Revision> revision, std::string instance_id, uint32_t failures,
                 Error error) override;
  void OnSlotNews(std::shared_ptr<Revision> revision) override;
  void OnColdStart(std::string revision, std::string instance_id, ColdStartTimes times) override;

 private:
  // The stream to the controller.
  struct Routing final : rpc::LinkObserver<v1::RoutingUpdate> {
    Routing(Control& of, Loop& loop, const std::string& target);
    void OnConnected() override;
    void OnMessage(v1::RoutingUpdate update) override;
    void OnDisconnected(const Error& why) override;
    Control& control;
    std::unique_ptr<v1::RoutingService::Stub> stub;
    rpc::Link<v1::ActivatorMessage, v1::RoutingUpdate> link;
  };
  // The stream to the autoscaler.
  struct Load final : rpc::LinkObserver<v1::LoadAck> {
    Load(Control& of, Loop& loop, const std::string& target);
    void OnConnected() override;
    void OnMessage(v1::LoadAck) override {}
    void OnDisconnected(const Error& why) override;
    Control& control;
    std::unique_ptr<v1::LoadService::Stub> stub;
    rpc::Link<v1::LoadReport, v1::LoadAck> link;
  };

  // An update on its way to the workers, and what they route by until it is there. Both are kept until all have taken it,
  // and go on this loop: what only they still hold may be much.
  struct Published {
    std::shared_ptr<const Publication> publication;
    std::shared_ptr<const RouteTable> before;
    bool full = false;
    int64_t sequence = 0;
  };
  struct Round {
    Round(size_t workers, Published what) : left(workers), published(std::move(what)) {}
    std::atomic<size_t> left;
    Published published;
  };

  void Apply(const v1::RoutingUpdate& update);
  void Publish(Published published);
  void OnRouted(bool full, int64_t sequence);
  void TellDemand(Revision& revision, WallTime queued);
  void LeaveAlone(const std::shared_ptr<Revision>& revision, const std::string& instance_id, uint32_t failures,
                  const Error& error);
  void Restore(const std::shared_ptr<Revision>& revision, const std::string& instance_id);
  void Wake(const std::shared_ptr<Revision>& revision, uint64_t waiting);
  void TellAgainOfSlots();
  void TellController(std::vector<v1::ActivatorMessage> messages);
  void ScheduleReport();
  void TellInstanceLoads();
  ActivatorFigures Figures() const;

  Loop& loop_;
  const Clock& clock_;
  const ControlOptions options_;
  std::function<void()> routable_;  // empty once called
  const std::function<void(const v1::RequestLog&)> request_log_;
  std::vector<Worker*> workers_;
  std::vector<const ProxyCounters*> proxies_;

  std::unique_ptr<ControlState> state_;  // from Start() on
  Metrics metrics_;
  std::unique_ptr<Routing> routing_;
  std::unique_ptr<Load> load_;
  bool routed_ = false;
  bool stopping_ = false;
  Loop::TimerId report_timer_ = 0;
  Loop::TimerId slots_timer_ = 0;  // 0: no request waits for slots
};

}  // namespace updraft::activator

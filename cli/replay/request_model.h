// Requests through the platform as a discrete-event model, decided on by the autoscaler's own
// fleet: an activator that reports once a second and at once when a request finds no instance,
// ticks every two seconds, instances that take their time to start. Deterministic. Pure.
#pragma once

#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "autoscaler/kpa/fleet.h"
#include "cli/replay/account.h"
#include "cli/replay/revision_model.h"

namespace updraft::cli {

struct ModelOptions {
  Nanos cold_start = Millis(500);  // from the decision to an instance that takes requests
  Nanos row_every = Seconds(10);
  WallTime start = {};                        // what the clock on the wall shows at second 0
  Nanos rest_max = std::chrono::minutes(15);  // after the last request, for instances that stay
};

class RequestModel {
 public:
  // `target`: of each revision. Requests are in the order of their times.
  RequestModel(const autoscaler::Target& target, std::vector<std::string> revisions,
               std::vector<ReplayedRequest> requests, ModelOptions options);

  // Until all requests have ended and all instances are gone, or `rest_max` after it. `see` is told
  // each row.
  AccountSum Run(const std::function<void(const AccountRow&)>& see);

 private:
  enum class What { kEnd, kReady, kArrive, kReport, kTick, kRow };  // in this order at one moment
  struct Event {
    TimePoint at = {};
    What what = What::kArrive;
    uint64_t order = 0;  // of those of one kind at one moment
    int revision = 0;
    uint64_t instance = 0;
    size_t request = 0;
    bool operator>(const Event& other) const;
  };
  struct Revision {
    std::string key = {};
    RevisionModel model;
    int desired = 0;
    bool touched = false;  // since the last report
  };

  void Schedule(TimePoint at, What what, int revision = 0, uint64_t instance = 0,
                size_t request = 0);
  void Handle(const Event& event);
  void Arrive(int revision, size_t request);
  void Begin(int revision, const RevisionModel::Begun& begun);
  void End(const Event& event);
  void Demand(Revision& revision);
  void ReportAll();
  void TellCounts(Revision& revision);
  void CarryOut();
  AccountRow MakeRow();
  bool Over() const;

  const autoscaler::Target target_;
  const ModelOptions options_;
  std::vector<ReplayedRequest> requests_;
  std::vector<Revision> revisions_;
  std::unordered_map<std::string, int> index_;
  autoscaler::Fleet fleet_{autoscaler::Defaults{}};
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  TimePoint now_;
  uint64_t order_ = 0;
  size_t next_request_ = 0;
  size_t ended_ = 0;
  TimePoint last_end_;
  AccountSum sum_;
  std::vector<double> latencies_;  // all
  std::vector<double> row_latencies_;
  uint64_t row_requests_ = 0;
  uint64_t row_cold_ = 0;
};

}  // namespace updraft::cli

#include "controller/instances/plan.h"

#include <algorithm>
#include <string_view>
#include <tuple>

namespace updraft::controller {
namespace {

// An image that cannot be pulled or a process that never listens: a fresh try, perhaps elsewhere.
// One in crash back-off is left to its node, which knows how often it has crashed.
bool MissedItsDeadline(const Instance& instance, const DesiredInstanceCount& desired,
                       TimePoint now) {
  return AwaitsReadiness(instance) && now - instance.created >= desired.start_deadline;
}

int CostOfLosing(const Instance& instance) {
  switch (instance.phase) {
    case v1::INSTANCE_READY:
      return 5;
    case v1::INSTANCE_UNREADY:
      return 4;
    case v1::INSTANCE_STARTING:
      return 3;
    case v1::INSTANCE_PENDING:
      return instance.node.empty() ? 1 : 2;
    default:
      return 0;  // crashing
  }
}

// Not serving before serving, idle before busy, the youngest before the oldest. The id makes the
// order total.
bool CheaperToLose(const Instance* a, const Instance* b) {
  return std::tuple(CostOfLosing(*a), RequestsInside(*a), b->created, std::string_view(a->id)) <
         std::tuple(CostOfLosing(*b), RequestsInside(*b), a->created, std::string_view(b->id));
}

void LookAgainNoLaterThan(InstancePlan& plan, TimePoint when) {
  plan.look_again = plan.look_again ? std::min(*plan.look_again, when) : when;
}

}  // namespace

InstancePlan PlanInstances(const DesiredInstanceCount& desired,
                           std::span<const Instance* const> instances, TimePoint now) {
  InstancePlan plan;
  if (!desired.count) return plan;

  std::vector<const Instance*> running;
  std::vector<const Instance*> failed;
  for (const Instance* instance : instances) {
    if (instance->intent != Intent::kRun) continue;
    if (instance->phase == v1::INSTANCE_FAILED) {
      failed.push_back(instance);
    } else if (instance->lost || instance->evicted || MissedItsDeadline(*instance, desired, now)) {
      plan.stop.push_back(instance->id);
    } else {
      running.push_back(instance);
      if (AwaitsReadiness(*instance)) {
        LookAgainNoLaterThan(plan, instance->created + desired.start_deadline);
      }
    }
  }

  const int missing = *desired.count - static_cast<int>(running.size());
  if (missing > 0 && now >= desired.start_not_before) {
    plan.start = missing;
  } else if (missing > 0) {
    LookAgainNoLaterThan(plan, desired.start_not_before);
  } else if (missing < 0) {
    std::ranges::sort(running, CheaperToLose);
    for (const Instance* instance : std::span(running).first(static_cast<size_t>(-missing))) {
      plan.stop.push_back(instance->id);
    }
  }
  // A failed one is shown until its successor takes its place, or nobody wants one any more.
  if (plan.start > 0 || missing <= 0) {
    for (const Instance* instance : failed) plan.forget.push_back(instance->id);
  }
  return plan;
}

}  // namespace updraft::controller

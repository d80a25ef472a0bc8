#include "controller/reconcile/status_pass.h"

#include <algorithm>
#include <utility>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
namespace {

api::Condition ReadCondition(const Json& json) {
  return {.type = api::StringAt(json, {"type"}),
          .status = api::StringAt(json, {"status"}, api::kUnknown),
          .reason = api::StringAt(json, {"reason"}),
          .message = api::StringAt(json, {"message"}),
          .severity = api::StringAt(json, {"severity"}),
          .last_transition_time = api::StringAt(json, {"lastTransitionTime"})};
}

Json WriteCondition(const api::Condition& condition) {
  Json json = {{"type", condition.type},
               {"status", condition.status},
               {"lastTransitionTime", condition.last_transition_time}};
  if (!condition.severity.empty()) json["severity"] = condition.severity;
  if (!condition.reason.empty()) json["reason"] = condition.reason;
  if (!condition.message.empty()) json["message"] = condition.message;
  return json;
}

bool SameContent(const api::Condition& a, const api::Condition& b) {
  return a.status == b.status && a.reason == b.reason && a.message == b.message &&
         a.severity == b.severity;
}

}  // namespace

StatusPass::StatusPass(const Json& object, const api::ConditionSet& set, WallTime now)
    : before_(object), set_(set), now_(api::FormatTimestamp(now)), object_(object) {
  if (!object_["status"].is_object()) object_["status"] = Json::object();
  for (const Json& condition : api::ArrayAt(object, {"status", "conditions"})) {
    conditions_.push_back(ReadCondition(condition));
  }
  for (const std::string& type : set_.dependents) {
    if (!Get(type)) Set({.type = type});
  }
  if (!Get(set_.happy)) Set({.type = set_.happy});
}

std::optional<api::Condition> StatusPass::Get(std::string_view type) const {
  const auto found = std::ranges::find(conditions_, type, &api::Condition::type);
  if (found == conditions_.end()) return std::nullopt;
  return *found;
}

void StatusPass::MarkTrue(std::string_view type, std::string_view reason,
                          std::string_view message) {
  Set({.type = std::string(type),
       .status = std::string(api::kTrue),
       .reason = std::string(reason),
       .message = std::string(message)});
}

void StatusPass::MarkFalse(std::string_view type, std::string_view reason,
                           std::string_view message) {
  Set({.type = std::string(type),
       .status = std::string(api::kFalse),
       .reason = std::string(reason),
       .message = std::string(message)});
}

void StatusPass::MarkUnknown(std::string_view type, std::string_view reason,
                             std::string_view message) {
  Set({.type = std::string(type),
       .status = std::string(api::kUnknown),
       .reason = std::string(reason),
       .message = std::string(message)});
}

void StatusPass::Copy(std::string_view type, const api::Condition& from) {
  if (from.IsTrue()) return MarkTrue(type);
  Set({.type = std::string(type),
       .status = from.status,
       .reason = from.reason,
       .message = from.message});
}

void StatusPass::Set(api::Condition condition) {
  const bool counts =
      condition.type == set_.happy || std::ranges::count(set_.dependents, condition.type) != 0;
  condition.severity = counts ? "" : "Info";
  condition.last_transition_time = TransitionTime(condition);
  const auto old = std::ranges::find(conditions_, condition.type, &api::Condition::type);
  if (old == conditions_.end()) {
    conditions_.push_back(std::move(condition));
  } else {
    *old = std::move(condition);
  }
}

std::string StatusPass::TransitionTime(const api::Condition& condition) const {
  const std::optional<api::Condition> before = api::ConditionOf(before_, condition.type);
  return before && SameContent(*before, condition) ? before->last_transition_time : now_;
}

api::Condition StatusPass::Sum() const {
  api::Condition sum = *Get(set_.happy);
  if (set_.dependents.empty()) return sum;
  sum = {.type = set_.happy, .status = std::string(api::kTrue)};
  for (const std::string_view status : {api::kFalse, api::kUnknown}) {
    std::optional<api::Condition> latest;
    for (const std::string& type : set_.dependents) {
      std::optional<api::Condition> dependent = Get(type);
      if (dependent->status != status) continue;
      // RFC 3339 in UTC with whole seconds sorts as text.
      if (!latest || dependent->last_transition_time > latest->last_transition_time)
        latest = std::move(dependent);
    }
    if (!latest) continue;
    sum.status = latest->status;
    sum.reason = latest->reason;
    sum.message = latest->message;
    break;
  }
  return sum;
}

void StatusPass::Finish(const ObjectKey& key, ReconcilePlan& plan) {
  Set(Sum());
  std::ranges::sort(conditions_, {}, &api::Condition::type);
  Json array = Json::array();
  for (const api::Condition& condition : conditions_) array.push_back(WriteCondition(condition));
  status()["conditions"] = std::move(array);
  if (const int64_t generation = api::GenerationOf(object_); generation != 0) {
    status()["observedGeneration"] = generation;
  }
  if (object_ != before_) plan.writes.push_back(UpdateObject{key, object_});
}

void CopyStatusField(const Json& from, std::string_view name, Json& to) {
  const Json* value = api::Find(from, {"status", name});
  if (value != nullptr) {
    to[std::string(name)] = *value;
  } else {
    to.erase(std::string(name));
  }
}

}  // namespace updraft::controller

#include "controller/pods/conditions.h"

#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/names.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
namespace {

uint64_t Hash(std::string_view text, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325U ^ seed;  // FNV-1a, then mixed as splitmix64 does
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebU;
  return hash ^ (hash >> 31);
}

}  // namespace

Json BuildCondition(const CoreCondition& condition, const Json* previous, WallTime now) {
  const std::string status = condition.holds ? "True" : "False";
  std::string since = api::FormatTimestamp(now);
  if (previous != nullptr) {
    const auto before = api::ConditionOf(*previous, condition.type);
    if (before && before->status == status) since = before->last_transition_time;
  }
  Json json = {
      {"type", std::string(condition.type)}, {"status", status}, {"lastTransitionTime", since}};
  if (!condition.reason.empty()) json["reason"] = condition.reason;
  if (!condition.message.empty()) json["message"] = condition.message;
  return json;
}

std::string StableUid(std::string_view text) { return api::MakeUid(Hash(text, 1), Hash(text, 2)); }

}  // namespace updraft::controller

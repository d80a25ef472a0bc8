#include <map>

#include "core/api/access.h"
#include "core/api/names.h"
#include "core/api/validation.h"

namespace updraft::api {
namespace {

std::string Joined(const Complaints& complaints) {
  std::string text;
  for (const std::string& complaint : complaints) text += (text.empty() ? "" : ", ") + complaint;
  return text;
}

FieldErrors CheckTrafficName(const std::string& name, const char* field) {
  const Complaints complaints = CheckQualifiedName(name);
  return complaints.empty() ? FieldErrors() : InvalidKeyName(name, field, Joined(complaints));
}

FieldErrors CheckReference(const Json& target, bool service) {
  const std::string revision = StringAt(target, {"revisionName"});
  const std::string configuration = StringAt(target, {"configurationName"});
  if (service && !configuration.empty()) return DisallowedFields({"configurationName"});
  if (!revision.empty() && !configuration.empty())
    return MultipleOneOf({"revisionName", "configurationName"});
  if (!revision.empty()) return CheckTrafficName(revision, "revisionName");
  if (!configuration.empty()) return CheckTrafficName(configuration, "configurationName");
  return service ? FieldErrors() : MissingOneOf({"revisionName", "configurationName"});
}

FieldErrors ValidateTarget(const Json& target, bool service) {
  FieldErrors errors;
  const std::string revision = StringAt(target, {"revisionName"});
  if (Find(target, {"latestRevision"}) != nullptr) {
    const bool latest = BoolAt(target, {"latestRevision"});
    if (latest == !revision.empty()) {
      errors.Add(Generic("may not set revisionName " + Quoted(revision) +
                             " when latestRevision is " + (latest ? "true" : "false"),
                         {"latestRevision"}));
    }
  }
  errors.Add(CheckReference(target, service));
  const int64_t percent = IntAt(target, {"percent"});
  if (percent < 0 || percent > 100)
    errors.Add(OutOfBounds(std::to_string(percent), "0", "100", "percent"));
  if (!StringAt(target, {"url"}).empty()) errors.Add(DisallowedFields({"url"}));
  return errors;
}

}  // namespace

FieldErrors ValidateTraffic(const Json& traffic, bool service) {
  FieldErrors errors;
  std::map<std::string, size_t> tags;
  int64_t sum = 0;
  for (size_t i = 0; i < traffic.size(); ++i) {
    errors.Add(ValidateTarget(traffic[i], service).ViaIndex(i));
    // Beyond any sense: kept from overflowing.
    const int64_t percent = IntAt(traffic[i], {"percent"});
    if (percent > -1'000'000'000'000 && percent < 1'000'000'000'000) sum += percent;
    const std::string tag = StringAt(traffic[i], {"tag"});
    if (tag.empty()) continue;
    const Complaints complaints = CheckDns1035Label(tag);
    if (!complaints.empty()) {
      errors.Add(FieldErrors(InvalidValue("not a DNS 1035 label: " + ToGoList(complaints), ""))
                     .ViaFieldIndex("tag", i));
    }
    const auto [first, added] = tags.emplace(tag, i);
    if (!added) {
      errors.Add(Generic(
          "Multiple definitions for " + Quoted(tag),
          {"[" + std::to_string(i) + "].tag", "[" + std::to_string(first->second) + "].tag"}));
    }
  }
  if (sum != 100)
    errors.Add(Generic("Traffic targets sum to " + std::to_string(sum) + ", want 100", {""}));
  return errors.ViaField("traffic");
}

}  // namespace updraft::api

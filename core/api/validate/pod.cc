// Kubernetes' own rules for the Pod of a template, as far as a manifest that Knative takes can break them.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "core/api/access.h"
#include "core/api/field_error.h"
#include "core/api/names.h"
#include "core/api/quantity.h"
#include "core/api/validation.h"

namespace updraft::api {
namespace {

using PodProblems = std::vector<FieldProblem>;

FieldProblem InvalidInPod(const std::string& field, const std::string& value, const std::string& why) {
  return {"FieldValueInvalid", field, "Invalid value: " + Quoted(value) + ": " + why};
}

void CheckContainerName(const std::string& name, const std::string& path, std::set<std::string>& names,
                        PodProblems& problems) {
  for (const std::string& complaint : CheckDns1123Label(name))
    problems.push_back(InvalidInPod(path, name, complaint));
  if (!names.insert(name).second)
    problems.push_back({"FieldValueDuplicate", path, "Duplicate value: " + Quoted(name)});
}

void CheckPullPolicy(const std::string& policy, const std::string& path, PodProblems& problems) {
  if (policy.empty() || policy == "Always" || policy == "IfNotPresent" || policy == "Never") return;
  problems.push_back({"FieldValueNotSupported", path,
                      "Unsupported value: " + Quoted(policy) +
                          ": supported values: \"Always\", \"IfNotPresent\", \"Never\""});
}

void CheckVariableNames(const Json& env, const std::string& path, PodProblems& problems) {
  for (size_t i = 0; i < env.size(); ++i) {
    const std::string name = StringAt(env[i], {"name"});
    const bool printable =
        std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~' && c != '='; });
    if (printable) continue;
    problems.push_back(InvalidInPod(path + "[" + std::to_string(i) + "].name", name,
                                    "a valid environment variable name must consist only of printable ASCII "
                                    "characters other than '='"));
  }
}

void CheckAmounts(const Json& resources, const std::string& path, PodProblems& problems) {
  for (const char* list : {"limits", "requests"}) {
    for (const auto& [resource, amount] : ObjectAt(resources, {list}).items()) {
      const auto quantity = Quantity::FromJson(amount);
      if (!quantity || quantity->Value() >= 0) continue;
      std::string field = path;
      field.append(".").append(list).append("[").append(resource).append("]");
      problems.push_back(InvalidInPod(field, CanonicalQuantity(amount).value_or(""),
                                      "must be greater than or equal to 0"));
    }
  }
  for (const auto& [resource, request] : ObjectAt(resources, {"requests"}).items()) {
    const Json* limit = Find(resources, {"limits", resource});
    const auto wanted = Quantity::FromJson(request);
    const auto most = limit == nullptr ? std::nullopt : Quantity::FromJson(*limit);
    if (!wanted || !most || *wanted <= *most) continue;
    problems.push_back(InvalidInPod(
        path + ".requests", CanonicalQuantity(request).value_or(""),
        "must be less than or equal to " + resource + " limit of " + CanonicalQuantity(*limit).value_or("")));
  }
}

}  // namespace

std::vector<FieldProblem> ValidatePod(const Json& spec) {
  PodProblems problems;
  std::set<std::string> names;
  for (const std::string list : {"containers", "initContainers"}) {
    const Json& containers = ArrayAt(spec, {list});
    for (size_t i = 0; i < containers.size(); ++i) {
      const Json& container = containers[i];
      const std::string path = "spec." + list + "[" + std::to_string(i) + "].";
      CheckContainerName(StringAt(container, {"name"}), path + "name", names, problems);
      CheckPullPolicy(StringAt(container, {"imagePullPolicy"}), path + "imagePullPolicy", problems);
      CheckVariableNames(ArrayAt(container, {"env"}), path + "env", problems);
      CheckAmounts(ObjectAt(container, {"resources"}), path + "resources", problems);
    }
  }
  return problems;
}

}  // namespace updraft::api

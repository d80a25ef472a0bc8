#include "controller/instances/environment.h"

#include <algorithm>
#include <optional>

#include "controller/instances/named_entries.h"
#include "core/api/access.h"

namespace updraft::controller {
namespace {

void Set(std::vector<Variable>& variables, Variable variable) {
  const auto it = std::ranges::find(variables, variable.name, &Variable::name);
  if (it == variables.end()) {
    variables.push_back(std::move(variable));
  } else {
    it->value = std::move(variable.value);
  }
}

// Kubernetes leaves out keys that are no names of variables.
bool IsVariableName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

struct Reference {
  const Json* json = nullptr;
  EntrySource source = EntrySource::kConfigMap;
};

// The member of `holder` that is set; json is null when neither is.
Reference OneOf(const Json& holder, std::string_view config_map, std::string_view secret) {
  if (const Json* found = api::Find(holder, {secret})) return {found, EntrySource::kSecret};
  return {api::Find(holder, {config_map}), EntrySource::kConfigMap};
}

Status AddAll(const Json& holder, const NamedObjects& named, std::vector<Variable>& variables) {
  const Reference reference = OneOf(holder, "configMapRef", "secretRef");
  if (reference.json == nullptr) return Ok();
  const auto entries = FindEntries(*reference.json, reference.source, "name", named);
  if (!entries) return entries.error();
  const std::string prefix = api::StringAt(holder, {"prefix"});
  for (const auto& [key, value] : *entries) {
    if (IsVariableName(prefix + key)) Set(variables, {prefix + key, value});
  }
  return Ok();
}

// nullopt: an optional reference that leads nowhere; the variable is not set.
Result<std::optional<std::string>> ValueFrom(const Json& holder, const NamedObjects& named) {
  const Reference reference = OneOf(holder, "configMapKeyRef", "secretKeyRef");
  if (reference.json == nullptr) {
    return Error{Code::kFailedPrecondition,
                 "valueFrom: only configMapKeyRef and secretKeyRef are supported"};
  }
  const auto entries = FindEntries(*reference.json, reference.source, "name", named);
  if (!entries) return entries.error();
  const std::string key = api::StringAt(*reference.json, {"key"});
  const auto it = entries->find(key);
  if (it != entries->end()) return std::optional(it->second);
  if (api::BoolAt(*reference.json, {"optional"})) return std::optional<std::string>();
  const char* kind = reference.source == EntrySource::kSecret ? "Secret " : "ConfigMap ";
  return Error{Code::kFailedPrecondition, "couldn't find key " + key + " in " + kind +
                                              api::StringAt(*reference.json, {"name"})};
}

}  // namespace

Result<std::vector<Variable>> EnvironmentOf(const Json& container,
                                            const std::vector<Variable>& platform,
                                            const NamedObjects& named,
                                            const DownwardFields& fields) {
  std::vector<Variable> variables;
  for (const Json& holder : api::ArrayAt(container, {"envFrom"})) {
    const Status added = AddAll(holder, named, variables);
    if (!added) return added.error();
  }
  for (const Json& entry : api::ArrayAt(container, {"env"})) {
    const std::string name = api::StringAt(entry, {"name"});
    const Json* holder = api::Find(entry, {"valueFrom"});
    if (holder == nullptr) {
      Set(variables, {name, Expand(api::StringAt(entry, {"value"}), variables)});
      continue;
    }
    if (fields && (holder->contains("fieldRef") || holder->contains("resourceFieldRef"))) {
      Result<std::string> field = fields(*holder, api::StringAt(container, {"name"}));
      if (!field) return field.error();
      Set(variables, {name, std::move(*field)});
      continue;
    }
    auto value = ValueFrom(*holder, named);
    if (!value) return value.error();
    if (*value) Set(variables, {name, std::move(**value)});
  }
  for (const Variable& variable : platform) Set(variables, variable);
  return variables;
}

std::string Expand(std::string_view text, const std::vector<Variable>& variables) {
  std::string expanded;
  while (true) {
    const size_t dollar = text.find('$');
    expanded += text.substr(0, dollar);
    if (dollar == std::string_view::npos) return expanded;
    text.remove_prefix(dollar + 1);
    if (text.starts_with("$")) {  // "$$" stands for one "$" and hides a reference behind it
      expanded += '$';
      text.remove_prefix(1);
      continue;
    }
    const size_t end = text.starts_with("(") ? text.find(')') : std::string_view::npos;
    if (end == std::string_view::npos) {
      expanded += '$';
      continue;
    }
    const std::string_view name = text.substr(1, end - 1);
    const auto it = std::ranges::find(variables, name, &Variable::name);
    expanded += it == variables.end() ? "$(" + std::string(name) + ")" : it->value;
    text.remove_prefix(end + 1);
  }
}

}  // namespace updraft::controller

#include "core/api/domain_config.h"

#include <algorithm>

#include "core/api/access.h"
#include "core/api/read.h"

namespace updraft::api {
namespace {

constexpr char kExample[] = "_example";

Error NotOfType(const Json& value, const std::string& where, const std::string& type) {
  std::string kind = value.type_name();
  if (kind == "boolean") kind = "bool";
  return {Code::kInvalidArgument,
          "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal " + kind +
              " into Go " + where + " of type " + type};
}

}  // namespace

bool Selects(const LabelMap& selector, const LabelMap& labels) {
  return std::ranges::all_of(selector, [&labels](const auto& wanted) {
    const auto found = labels.find(wanted.first);
    return found != labels.end() && found->second == wanted.second;
  });
}

Result<LabelMap> ParseSelector(const std::string& text, const std::string& type) {
  const auto documents = ReadYaml(text);
  if (!documents) {
    return Error{Code::kInvalidArgument,
                 "error converting YAML to JSON: " + documents.error().message};
  }
  LabelMap labels;
  if (documents->empty() || documents->front().value.is_null()) return labels;
  const Json& value = documents->front().value;
  if (!value.is_object()) return NotOfType(value, "value", type);
  const Json* selector = Find(value, {"selector"});
  if (selector == nullptr) return labels;
  const std::string field = "struct field " + type.substr(type.find('.') + 1) + ".selector";
  if (!selector->is_object()) return NotOfType(*selector, field, "map[string]string");
  for (const auto& [key, wanted] : selector->items()) {
    if (!wanted.is_string()) return NotOfType(wanted, field, "string");
    labels[key] = wanted.get<std::string>();
  }
  return labels;
}

Result<DomainConfig> DomainConfig::Parse(const ConfigKeys& keys) {
  DomainConfig config;
  for (const auto& [domain, text] : keys) {
    if (domain == kExample) continue;
    Result<LabelMap> selector = ParseSelector(text, "config.domainInternalConfig");
    if (!selector) return selector.error();
    config.selectors[domain] = *std::move(selector);
  }
  return config;
}

std::string DomainConfig::DomainFor(const LabelMap& labels) const {
  std::string best;
  size_t most = 0;
  for (const auto& [domain, selector] : selectors) {
    if (!Selects(selector, labels) || (!best.empty() && selector.size() <= most)) continue;
    best = domain;
    most = selector.size();
  }
  return best;
}

}  // namespace updraft::api

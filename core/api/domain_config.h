// ConfigMap config-domain: which domain a route's external names are below. Pure.
#pragma once

#include <map>
#include <string>

#include "core/api/config_reader.h"

namespace updraft::api {

using LabelMap = std::map<std::string, std::string>;

// Every label of `selector` is among `labels`, with its value.
bool Selects(const LabelMap& selector, const LabelMap& labels);

struct DomainConfig {
  std::map<std::string, LabelMap> selectors = {};  // by domain; an empty one: for all routes

  // kInvalidArgument: a value is no YAML of the form `selector: {label: value}`.
  static Result<DomainConfig> Parse(const ConfigKeys& keys);

  // The domain whose selector demands the most of those that select the route; the first by name of
  // several. Empty: none does.
  std::string DomainFor(const LabelMap& labels) const;
};

// A ConfigMap's value `selector: {label: value}`, with whatever else is beside it. An empty text
// has no selector. `type` is what messages call it.
Result<LabelMap> ParseSelector(const std::string& text, const std::string& type);

}  // namespace updraft::api

// Manifests for the tests of validation and defaults.
#pragma once

#include <string>

#include "core/api/access.h"
#include "core/api/defaults.h"
#include "core/api/kinds.h"
#include "core/api/patch.h"
#include "core/api/validation.h"

namespace updraft::api {

struct ManifestCase {
  std::string manifest;  // merged into a part of a Service
  std::string want;      // the errors; empty: accepted
};

inline const Kind& KindNamed(std::string_view name) { return *FindByUserName(name); }

inline Json Service() {
  return Json::parse(R"({"apiVersion":"serving.knative.dev/v1","kind":"Service",
    "metadata":{"name":"hello","namespace":"default"},
    "spec":{"template":{"spec":{"containers":[{"image":"gcr.io/a/hello"}]}}}})");
}

// The Service with `patch` merged into spec.template.spec; containers replace as a whole.
inline Json WithSpec(const std::string& patch) {
  Json service = Service();
  Json& spec = service["spec"]["template"]["spec"];
  spec = MergePatch(spec, Json::parse(patch));
  return service;
}

// The Service with `patch` merged into its only container.
inline Json WithContainer(const std::string& patch) {
  Json service = Service();
  Json& container = service["spec"]["template"]["spec"]["containers"][0];
  container = MergePatch(container, Json::parse(patch));
  return service;
}

inline Json WithTemplateAnnotation(const std::string& key, const std::string& value) {
  Json service = Service();
  service["spec"]["template"]["metadata"]["annotations"][key] = value;
  return service;
}

inline Json WithTraffic(const std::string& traffic) {
  Json service = Service();
  service["spec"]["traffic"] = Json::parse(traffic);
  return service;
}

// In the tables of errors "@" stands for a path that all rows share.
inline std::string WithPathOf(std::string_view path, std::string want) {
  for (size_t at = want.find('@'); at != std::string::npos; at = want.find('@', at + path.size()))
    want.replace(at, 1, path);
  return want;
}

// Defaults and validates a create; gives the text of the errors, without the warnings.
inline std::string Verdict(Json object, const ServingConfig& config = {}, const Json* old = nullptr,
                           std::string_view kind = "ksvc") {
  const WriteContext context{.config = &config, .user = "tester", .old = old};
  SetDefaults(KindNamed(kind), object, context);
  return ValidateServing(KindNamed(kind), object, context).Only(FieldError::Level::kError).Text();
}

inline ServingConfig WithFeature(const std::string& feature, Flag flag = Flag::kEnabled) {
  ServingConfig config;
  config.features.Set(feature, flag);
  return config;
}

}  // namespace updraft::api

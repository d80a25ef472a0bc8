// Objects and plans in short, for tests of the reconcilers.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "controller/reconcile/keys.h"
#include "controller/reconcile/plan.h"
#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/meta.h"
#include "core/api/timestamp.h"

namespace updraft::controller {

using JsonPtr = std::shared_ptr<const Json>;

inline JsonPtr Share(Json json) { return std::make_shared<const Json>(std::move(json)); }

inline const WallTime kNow = *api::ParseTimestamp("2026-03-01T12:00:00Z");

inline Json Object(const std::string& api_version, const std::string& kind,
                   const std::string& name) {
  return {{"apiVersion", api_version},
          {"kind", kind},
          {"metadata",
           {{"name", name},
            {"namespace", "default"},
            {"uid", kind + "-" + name + "-uid"},
            {"generation", 1},
            {"creationTimestamp", "2026-03-01T11:00:00Z"},
            {"resourceVersion", "5"}}}};
}

inline Json Owned(Json object, const Json& owner) {
  object["metadata"]["ownerReferences"] = Json::array({api::ControllerReferenceTo(owner)});
  return object;
}

inline Json WithCondition(Json object, const std::string& type, const std::string& status,
                          const std::string& reason = "", const std::string& message = "",
                          const std::string& time = "2026-03-01T11:30:00Z") {
  Json condition = {{"type", type}, {"status", status}, {"lastTransitionTime", time}};
  if (!reason.empty()) condition["reason"] = reason;
  if (!message.empty()) condition["message"] = message;
  Json& conditions = object["status"]["conditions"];
  Json kept = Json::array();
  for (const Json& old : conditions) {
    if (old["type"] != type) kept.push_back(old);
  }
  kept.push_back(std::move(condition));
  conditions = std::move(kept);
  object["status"]["observedGeneration"] = object["metadata"]["generation"];
  return object;
}

inline Json ReadyObject(Json object, const std::string& status = "True",
                        const std::string& reason = "", const std::string& message = "") {
  return WithCondition(std::move(object), "Ready", status, reason, message);
}

inline Json ServiceObject(const std::string& name = "hello") {
  Json service = Object(kServingApiVersion, "Service", name);
  service["spec"] = {
      {"template",
       {{"spec",
         {{"containers", {{{"name", "user-container"}, {"image", "example.com/hello"}}}}}}}},
      {"traffic", {{{"latestRevision", true}, {"percent", 100}}}}};
  return service;
}

inline Json ConfigurationObject(const std::string& name = "hello") {
  const Json service = ServiceObject(name);
  Json configuration = Owned(Object(kServingApiVersion, "Configuration", name), service);
  configuration["spec"] = {{"template", service["spec"]["template"]}};
  configuration["metadata"]["labels"] = {{label::kService, name},
                                         {label::kServiceUid, "Service-" + name + "-uid"}};
  configuration["metadata"]["annotations"] = {{annotation::kRoutes, name}};
  return configuration;
}

inline Json RouteObject(const std::string& name = "hello") {
  Json route = Owned(Object(kServingApiVersion, "Route", name), ServiceObject(name));
  route["metadata"]["labels"] = {{label::kService, name}};
  route["metadata"]["annotations"] = Json::object();
  route["spec"] = {
      {"traffic", {{{"latestRevision", true}, {"percent", 100}, {"configurationName", name}}}}};
  return route;
}

inline Json RevisionObject(const std::string& name = "hello-00001", int64_t generation = 1,
                           const std::string& configuration = "hello") {
  Json revision =
      Owned(Object(kServingApiVersion, "Revision", name), ConfigurationObject(configuration));
  revision["metadata"]["labels"] = {{label::kConfiguration, configuration},
                                    {label::kConfigurationGeneration, std::to_string(generation)},
                                    {label::kRoutingState, "active"},
                                    {label::kService, configuration}};
  revision["metadata"]["annotations"] = {
      {annotation::kRoutes, configuration},
      {annotation::kRoutingStateModified, "2026-03-01T11:00:00Z"}};
  revision["spec"] = ServiceObject()["spec"]["template"]["spec"];
  return revision;
}

// "Ready=True ContainerHealthy=False(ExitCode1)", sorted by type as stored.
inline std::string ConditionText(const Json& object) {
  std::string text;
  for (const Json& condition : api::ArrayAt(object, {"status", "conditions"})) {
    const std::string reason = api::StringAt(condition, {"reason"});
    text += (text.empty() ? "" : " ") + api::StringAt(condition, {"type"}) + "=" +
            api::StringAt(condition, {"status"}) + (reason.empty() ? "" : "(" + reason + ")");
  }
  return text;
}

inline std::string MessageOf(const Json& object, const std::string& type) {
  const auto condition = api::ConditionOf(object, type);
  return condition ? condition->message : "no such condition";
}

inline std::string ShortKey(const ObjectKey& key) {
  const size_t slash = key.resource.find('/');
  return (slash == std::string::npos ? "core " + key.resource : key.resource.substr(slash + 1)) +
         "/" + key.name;
}

inline std::string Text(const Write& write) {
  if (const auto* create = std::get_if<CreateObject>(&write))
    return "create " + ShortKey(create->key);
  if (const auto* update = std::get_if<UpdateObject>(&write))
    return "update " + ShortKey(update->key);
  const auto& deletion = std::get<DeleteObject>(write);
  const char* how = deletion.propagation == Propagation::kForeground ? " foreground"
                    : deletion.propagation == Propagation::kOrphan   ? " orphan"
                                                                     : "";
  return "delete " + ShortKey(deletion.key) + how;
}

// All writes in short, in order.
inline std::vector<std::string> Writes(const ReconcilePlan& plan) {
  std::vector<std::string> texts;
  for (const Write& write : plan.writes) texts.push_back(Text(write));
  return texts;
}

inline std::vector<std::string> Events(const ReconcilePlan& plan) {
  std::vector<std::string> texts;
  for (const Effect& effect : plan.effects) {
    if (const auto* event = std::get_if<RecordEvent>(&effect))
      texts.push_back(event->reason + ": " + event->message);
  }
  return texts;
}

inline std::vector<std::string> ImagesToResolve(const ReconcilePlan& plan) {
  std::vector<std::string> images;
  for (const Effect& effect : plan.effects) {
    if (const auto* resolve = std::get_if<ResolveImage>(&effect)) images.push_back(resolve->image);
  }
  return images;
}

// What the plan would store under `key`; null when it writes nothing there.
inline Json Written(const ReconcilePlan& plan, const std::string& short_key) {
  for (const Write& write : plan.writes) {
    if (const auto* create = std::get_if<CreateObject>(&write);
        create && ShortKey(create->key) == short_key) {
      return create->object;
    }
    if (const auto* update = std::get_if<UpdateObject>(&write);
        update && ShortKey(update->key) == short_key) {
      return update->object;
    }
  }
  return nullptr;
}

}  // namespace updraft::controller

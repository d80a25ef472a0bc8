#include "core/api/access.h"
#include "core/api/columns.h"
#include "core/api/conditions.h"
#include "core/api/constants.h"
#include "core/api/meta.h"

namespace updraft::api {
namespace {

Column ServingName() {
  return {.name = "Name",
          .description = "Name of the object.",
          .format = "name",
          .value = [](const Json& object, WallTime) { return Json(NameOf(object)); }};
}

// A text or number of the status; nothing when it is absent, as a CRD's jsonPath gives.
Column StatusField(std::string name, const std::string& field, std::string type = "string") {
  return {.name = std::move(name),
          .type = std::move(type),
          .value = [field](const Json& object, WallTime) {
            const Json* found = Find(object, {"status", field});
            return found == nullptr ? Json(nullptr) : *found;
          }};
}

Column ReadyColumn() {
  return {.name = "Ready", .value = [](const Json& object, WallTime) {
            const auto ready = ConditionOf(object, kReady);
            return ready ? Json(ready->status) : Json(nullptr);
          }};
}

Column ReasonColumn() {
  return {.name = "Reason", .value = [](const Json& object, WallTime) {
            const auto ready = ConditionOf(object, kReady);
            return ready && !ready->reason.empty() ? Json(ready->reason) : Json(nullptr);
          }};
}

Column Label(std::string name, std::string_view label) {
  return {.name = std::move(name),
          .value = [key = std::string(label)](const Json& object, WallTime) {
            const std::string value = LabelOf(object, key);
            return value.empty() ? Json(nullptr) : Json(value);
          }};
}

}  // namespace

std::vector<Column> ServingServiceColumns() {
  return {ServingName(),
          StatusField("URL", "url"),
          StatusField("LatestCreated", "latestCreatedRevisionName"),
          StatusField("LatestReady", "latestReadyRevisionName"),
          ReadyColumn(),
          ReasonColumn()};
}

std::vector<Column> ConfigurationColumns() {
  return {ServingName(), StatusField("LatestCreated", "latestCreatedRevisionName"),
          StatusField("LatestReady", "latestReadyRevisionName"), ReadyColumn(), ReasonColumn()};
}

std::vector<Column> RevisionColumns() {
  return {ServingName(),
          Label("Config Name", kConfigurationLabel),
          Label("Generation", kConfigurationGenerationLabel),
          ReadyColumn(),
          ReasonColumn(),
          StatusField("Actual Replicas", "actualReplicas", "integer"),
          StatusField("Desired Replicas", "desiredReplicas", "integer")};
}

std::vector<Column> DomainMappingColumns() { return RouteColumns(); }

std::vector<Column> RouteColumns() {
  return {ServingName(), StatusField("URL", "url"), ReadyColumn(), ReasonColumn()};
}

}  // namespace updraft::api

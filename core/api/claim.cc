#include "core/api/claim.h"

#include <algorithm>
#include <array>

#include "core/api/access.h"
#include "core/api/field_error.h"
#include "core/api/meta.h"
#include "core/api/quantity.h"

namespace updraft::api {
namespace {

constexpr char kStorageClass[] = "local-path";
constexpr std::array<std::string_view, 4> kAccessModes = {"ReadOnlyMany", "ReadWriteMany",
                                                          "ReadWriteOnce", "ReadWriteOncePod"};
constexpr std::array<std::string_view, 2> kVolumeModes = {"Block", "Filesystem"};

using Problems = std::vector<FieldProblem>;

// A volume that is there already, a copy of something, a block device: there is none of these.
bool WantsADirectory(const Json& claim) {
  const Json& spec = ObjectAt(claim, {"spec"});
  const std::string volume = StringAt(spec, {"volumeName"});
  const bool fresh = Find(spec, {"selector"}) == nullptr && Find(spec, {"dataSource"}) == nullptr &&
                     Find(spec, {"dataSourceRef"}) == nullptr;
  return fresh && (volume.empty() || volume == VolumeOfClaim(claim)) &&
         StringAt(spec, {"volumeMode"}) == "Filesystem";
}

template <typename Values>
void CheckOneOf(const std::string& field, const std::string& value, const Values& supported,
                Problems& problems) {
  if (std::ranges::find(supported, value) != supported.end()) return;
  std::string list;
  for (const std::string_view one : supported)
    list += (list.empty() ? "" : ", ") + Quoted(std::string(one));
  problems.push_back({"FieldValueNotSupported", field,
                      "Unsupported value: " + Quoted(value) + ": supported values: " + list});
}

void CheckAccessModes(const Json& claim, Problems& problems) {
  const std::string field = "spec.accessModes";
  const Json& modes = ArrayAt(claim, {"spec", "accessModes"});
  if (modes.empty()) {
    problems.push_back(
        {"FieldValueRequired", field, "Required value: at least 1 access mode is required"});
  }
  bool of_one_pod = false;
  for (const Json& mode : modes) {
    const std::string text = mode.is_string() ? mode.get<std::string>() : "";
    CheckOneOf(field, text, kAccessModes, problems);
    of_one_pod = of_one_pod || text == "ReadWriteOncePod";
  }
  if (of_one_pod && modes.size() > 1) {
    problems.push_back({"FieldValueForbidden", field,
                        "Forbidden: may not use ReadWriteOncePod with other access modes"});
  }
}

void CheckStorage(const Json& claim, Problems& problems) {
  const std::string field = "spec.resources[storage]";
  const Json* storage = Find(claim, {"spec", "resources", "requests", "storage"});
  if (storage == nullptr) {
    problems.push_back({"FieldValueRequired", field, "Required value"});
    return;
  }
  const auto amount = Quantity::FromJson(*storage);
  if (amount && amount->MilliValue() > 0) return;
  const std::string text = storage->is_string() ? storage->get<std::string>() : storage->dump();
  problems.push_back({"FieldValueInvalid", field,
                      "Invalid value: " + Quoted(text) + ": must be greater than zero"});
}

// All but the size asked for is as it was; there may be asked for more.
void CheckUpdate(const Json& claim, const Json& old, Problems& problems) {
  Json wanted = ObjectAt(claim, {"spec"});
  Json before = ObjectAt(old, {"spec"});
  for (Json* spec : {&wanted, &before}) Erase(*spec, {"resources", "requests", "storage"});
  if (wanted != before) {
    problems.push_back({"FieldValueForbidden", "spec",
                        "Forbidden: spec is immutable after creation except resources.requests and "
                        "volumeAttributesClassName for bound claims"});
  }
  const Json* asked = Find(claim, {"spec", "resources", "requests", "storage"});
  const Json* had = Find(old, {"spec", "resources", "requests", "storage"});
  const auto now = asked == nullptr ? std::nullopt : Quantity::FromJson(*asked);
  const auto then = had == nullptr ? std::nullopt : Quantity::FromJson(*had);
  if (now && then && *now < *then) {
    problems.push_back({"FieldValueForbidden", "spec.resources.requests.storage",
                        "Forbidden: field can not be less than status.capacity"});
  }
}

}  // namespace

void SetClaimDefaults(Json& claim) {
  Json& spec = EnsureObject(claim, {"spec"});
  if (StringAt(spec, {"volumeMode"}).empty()) spec["volumeMode"] = "Filesystem";
  if (Find(spec, {"storageClassName"}) == nullptr) spec["storageClassName"] = kStorageClass;
  const bool bound = WantsADirectory(claim) && !UidOf(claim).empty();
  if (bound) spec["volumeName"] = VolumeOfClaim(claim);
  Json& status = EnsureObject(claim, {"status"});
  status["phase"] = bound ? "Bound" : "Pending";
  if (!bound) return;
  status["accessModes"] = ArrayAt(claim, {"spec", "accessModes"});
  if (const Json* storage = Find(claim, {"spec", "resources", "requests", "storage"}))
    status["capacity"] = {{"storage", *storage}};
}

Problems ValidateClaim(const Json& claim, const Json* old) {
  Problems problems;
  CheckAccessModes(claim, problems);
  CheckStorage(claim, problems);
  CheckOneOf("spec.volumeMode", StringAt(claim, {"spec", "volumeMode"}, "Filesystem"), kVolumeModes,
             problems);
  if (old != nullptr) CheckUpdate(claim, *old, problems);
  return problems;
}

bool IsBound(const Json& claim) { return StringAt(claim, {"status", "phase"}) == "Bound"; }

std::string VolumeOfClaim(const Json& claim) { return "pvc-" + UidOf(claim); }

}  // namespace updraft::api

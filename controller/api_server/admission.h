// From what a client wrote to what is stored: fields checked and pruned, system metadata set,
// defaults filled in, everything validated. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "controller/api_server/api_error.h"
#include "controller/api_server/request.h"
#include "core/api/json.h"
#include "core/api/kinds.h"
#include "core/api/managed_fields.h"
#include "core/api/read.h"
#include "core/api/serving_config.h"
#include "core/base/clock.h"

namespace updraft::controller {

struct AdmissionContext {
  const api::Kind* kind = nullptr;
  api::ServingConfig config = {};
  std::string user = {};
  FieldValidation field_validation = FieldValidation::kWarn;
  WallTime now = {};
  std::string manager = "unknown";  // whom the changed fields belong to then
  std::string subresource = {};     // that is written: "status" or empty
  bool dry_run = false;             // nothing will be stored
  // Who owns what, where the verb itself has found it out: server-side apply.
  std::optional<api::ManagedFields> applied_fields = std::nullopt;

  // `old`: the stored object, null when there is none. It must outlive what is given.
  api::FieldWrite Write(const Json* old) const;
};

struct Admitted {
  Json object = nullptr;
  std::vector<std::string> warnings = {};  // for the user to read
};

// A new object in namespace `ns` (empty: cluster scoped). `uid` becomes its own. A generateName is
// left to the caller, which completes it with CompleteName() before each attempt to store.
ApiResult<Admitted> AdmitCreate(const AdmissionContext& context, const std::string& ns,
                                api::Document document, const std::string& uid);
void CompleteName(Json& object, uint64_t random);

// `document` in place of `old`, whose name and namespace the path has given. On the subresource
// "status" only the status counts, without it everything else.
ApiResult<Admitted> AdmitUpdate(const AdmissionContext& context, const Json& old,
                                api::Document document);

// Unknown fields are judged and removed, wrong types refused.
std::optional<ApiError> CheckFields(const AdmissionContext& context, api::Document& document,
                                    std::vector<std::string>& warnings);

// Whether `object`, which a client sends for `name` in `ns`, is of this kind and place. Empty
// places are filled in.
std::optional<ApiError> CheckIdentity(const api::Kind& kind, Json& object, const std::string& ns,
                                      const std::string& name);

}  // namespace updraft::controller

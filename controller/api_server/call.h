// One call of the API about objects: what was asked, what is needed to answer, and the answer.
// Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controller/api_server/api_error.h"
#include "controller/api_server/log_source.h"
#include "controller/api_server/negotiate.h"
#include "controller/api_server/request.h"
#include "controller/objects/config_maps.h"
#include "controller/objects/object_store.h"
#include "controller/streaming/session_source.h"
#include "core/api/kinds.h"
#include "core/api/read.h"
#include "core/api/serving_config.h"
#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/http/exchange.h"

namespace updraft::controller {

// What all calls share. Outlives them.
struct ServerParts {
  Loop* loop = nullptr;
  const Clock* clock = nullptr;
  LogSource* logs = nullptr;
  SessionSource* sessions = nullptr;  // null: commands and ports are out of reach
  std::function<ObjectStore&(const api::Kind&)> stores = {};
  std::function<uint64_t()> random = {};
  std::string user = {};
  std::function<bool(const std::string& pod)> evict = {};
  std::shared_ptr<ConfigMaps> config_maps = std::make_shared<ConfigMaps>();
};

// Lives in the frame of the call's outermost coroutine: inner ones hold pointers to it.
struct Call {
  const ServerParts* parts = nullptr;
  http::Exchange* exchange = nullptr;
  ResourceRequest request = {};
  RequestOptions options = {};
  Format format = {};
  int status = 0;  // that was answered with, once it was

  const api::Kind& kind() const { return *request.kind; }
  // Whom the fields that the call changes belong to: the fieldManager that it names, or the program
  // that it comes from.
  std::string ManagerName() const;
  ObjectStore& store() const { return parts->stores(*request.kind); }
  ObjectKey Key() const { return KeyOf(request.name); }
  ObjectKey KeyOf(const std::string& name) const {
    return {.resource = request.kind->StoreResource(), .ns = request.ns, .name = name};
  }
};

// What a call that does not stream is answered with.
struct Answer {
  enum class What { kObject, kList, kDocument };

  What what = What::kObject;
  int code = 200;
  std::shared_ptr<const Json> object = nullptr;           // kObject, kDocument (a Status, as it is)
  std::vector<std::shared_ptr<const Json>> objects = {};  // kList
  int64_t revision = 0;                                   // kList
  std::string continue_token = {};                        // kList: there is more
  std::optional<int64_t> remaining = std::nullopt;        // kList: how much, where that is known
  std::vector<std::string> warnings = {};
};

// The body as a document. Its metadata is not looked at.
http::Task<ApiResult<api::Document>> ReadDocument(Call* call);

http::Task<void> Respond(Call* call, ApiResult<Answer> answer);
http::Task<void> RespondError(Call* call, ApiError error);

// The configuration that manifests are judged by, as the config-* ConfigMaps are now.
api::ServingConfig ReadServingConfig(const ServerParts& parts);

}  // namespace updraft::controller

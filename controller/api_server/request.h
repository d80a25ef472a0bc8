// What a request asks for, read off its method, path and query. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/api_server/api_error.h"
#include "core/api/kinds.h"

namespace updraft::controller {

enum class Verb { kGet, kList, kWatch, kCreate, kUpdate, kPatch, kDelete, kDeleteCollection, kConnect };

// As discovery and access rules name it: "deletecollection".
std::string_view VerbName(Verb verb);

// A request about objects: /api/v1/namespaces/NS/pods/NAME/log?...
struct ResourceRequest {
  Verb verb = Verb::kGet;
  const api::Kind* kind = nullptr;
  std::string ns = {};           // empty: cluster scoped, or all namespaces
  std::string name = {};         // empty: the collection
  std::string subresource = {};  // "status", "log", "exec", "eviction", ... or empty
};

inline constexpr std::string_view kEviction = "eviction";  // of pods

enum class FieldValidation { kIgnore, kWarn, kStrict };

// Query parameters; those that a verb has no use for have no effect.
struct RequestOptions {
  std::string label_selector = {};
  std::string field_selector = {};
  std::string resource_version = {};
  std::string resource_version_match = {};
  std::string continue_token = {};
  bool watch = false;
  bool allow_bookmarks = false;
  std::optional<bool> send_initial_events = std::nullopt;
  std::optional<int64_t> timeout_seconds = std::nullopt;
  bool dry_run = false;
  std::optional<bool> force = std::nullopt;  // of a server-side apply
  std::optional<int64_t> limit = std::nullopt;
  FieldValidation field_validation = FieldValidation::kWarn;
  std::string field_manager = {};
  std::string propagation_policy = {};
  bool pretty = false;
  std::string include_object = "Metadata";  // in a Table: None, Metadata, Object
  // pods/log
  std::string container = {};
  bool follow = false;
  bool previous = false;
  bool timestamps = false;
  std::optional<int64_t> tail_lines = std::nullopt;
  std::optional<int64_t> since_seconds = std::nullopt;
  std::string since_time = {};
  std::optional<int64_t> limit_bytes = std::nullopt;
};

inline constexpr size_t kManagerBytesMax = 128;  // of a fieldManager

// BadRequest for values that are none.
ApiResult<RequestOptions> ParseOptions(std::string_view query);

// True when `path` is one that objects live under: /api/v1/... or /apis/GROUP/VERSION/...
bool IsResourcePath(std::string_view path);

// 404: no such group, version or resource. 405: the kind does not allow the verb.
ApiResult<ResourceRequest> ParseResourceRequest(std::string_view method, std::string_view path,
                                                bool watch);

// The parts of a path between its slashes, percent-decoded. nullopt: cannot be decoded.
std::optional<std::vector<std::string>> SplitPath(std::string_view path);

}  // namespace updraft::controller

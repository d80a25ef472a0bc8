// The selectors of a request, and the version that it asks for. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "controller/api_server/api_error.h"
#include "controller/api_server/request.h"
#include "controller/api_server/watch_filter.h"
#include "core/api/kinds.h"

namespace updraft::controller {

// BadRequest for selectors that are none.
ApiResult<Selection> ParseSelection(const api::Kind& kind, const RequestOptions& options);

// nullopt: none was given. BadRequest: it is no version.
ApiResult<std::optional<int64_t>> ParseResourceVersion(const RequestOptions& options);

// Which part of a list is asked for, as of when.
struct ListPlan {
  int64_t revision = 0;  // 0: the newest
  size_t limit = 0;      // 0: all
  std::string after_ns = {};
  std::string after_name = {};  // empty: from the beginning
  size_t seen = 0;              // objects in the parts before
  bool continued = false;
};

// BadRequest, Invalid and Expired in kube-apiserver's words. `current`: the store's version.
ApiResult<ListPlan> PlanList(const RequestOptions& options, int64_t current);

// What a client hands back to get the next part. `revision` -1: as of whenever it asks.
std::string ContinueToken(int64_t revision, const std::string& ns, const std::string& name,
                          size_t seen);

// The version that `plan` is about is no longer kept.
ApiError ListExpired(const ListPlan& plan);

// Where a watch begins.
struct WatchStart {
  bool initial_events = false;    // every object first, as ADDED
  bool initial_bookmark = false;  // and then a bookmark that says so
  int64_t after = 0;              // changes with later revisions follow
};

ApiResult<WatchStart> PlanWatch(const RequestOptions& options, int64_t current);

}  // namespace updraft::controller

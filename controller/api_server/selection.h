// The selectors of a request, and the version that it asks for. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "controller/api_server/api_error.h"
#include "controller/api_server/request.h"
#include "controller/api_server/watch_filter.h"
#include "core/api/kinds.h"

namespace updraft::controller {

// BadRequest for selectors that are none.
ApiResult<Selection> ParseSelection(const api::Kind& kind, const RequestOptions& options);

// nullopt: none was given. BadRequest: it is no version.
ApiResult<std::optional<int64_t>> ParseResourceVersion(const RequestOptions& options);

// Whether a list that is read at `current` is what was asked for.
std::optional<ApiError> CheckListVersion(const RequestOptions& options, int64_t current);

// Where a watch begins.
struct WatchStart {
  bool initial_events = false;    // every object first, as ADDED
  bool initial_bookmark = false;  // and then a bookmark that says so
  int64_t after = 0;              // changes with later revisions follow
};

ApiResult<WatchStart> PlanWatch(const RequestOptions& options, int64_t current);

}  // namespace updraft::controller

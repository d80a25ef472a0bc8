#include "controller/api_server/selection.h"

#include <charconv>

namespace updraft::controller {

ApiResult<Selection> ParseSelection(const api::Kind& kind, const RequestOptions& options) {
  Selection selection;
  Result<api::LabelSelector> labels = api::LabelSelector::Parse(options.label_selector);
  if (!labels) return BadRequest(labels.error().message);
  Result<api::FieldSelector> fields =
      api::FieldSelector::Parse(options.field_selector, kind.selectable_fields);
  if (!fields) return BadRequest(fields.error().message);
  selection.labels = *std::move(labels);
  selection.fields = *std::move(fields);
  return selection;
}

ApiResult<std::optional<int64_t>> ParseResourceVersion(const RequestOptions& options) {
  const std::string& text = options.resource_version;
  if (text.empty()) return std::optional<int64_t>();
  int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 0) {
    return BadRequest("Invalid value: \"" + text + "\": invalid resource version");
  }
  return std::optional(version);
}

std::optional<ApiError> CheckListVersion(const RequestOptions& options, int64_t current) {
  // No answer of ours ever has one: lists are whole.
  if (!options.continue_token.empty())
    return BadRequest("continue key is not valid: lists of this server are whole");
  const auto asked = ParseResourceVersion(options);
  if (!asked) return asked.error();
  if (!*asked) return std::nullopt;
  if (**asked > current) return TooLargeVersion(**asked, current);
  if (options.resource_version_match == "Exact" && **asked != current) {
    return Expired("The provided resource version is no longer served: list without one");
  }
  return std::nullopt;
}

ApiResult<WatchStart> PlanWatch(const RequestOptions& options, int64_t current) {
  const auto asked = ParseResourceVersion(options);
  if (!asked) return asked.error();
  if (options.send_initial_events && options.resource_version_match != "NotOlderThan") {
    return BadRequest("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (!options.send_initial_events && !options.resource_version_match.empty()) {
    return BadRequest(
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  }
  const bool any_version = !*asked || **asked == 0;
  WatchStart start{.initial_events = any_version, .initial_bookmark = false, .after = current};
  if (options.send_initial_events) {
    start.initial_events = *options.send_initial_events;
    start.initial_bookmark = start.initial_events && options.allow_bookmarks;
    if (!any_version && **asked > current) return TooLargeVersion(**asked, current);
  }
  if (!any_version && !start.initial_events) start.after = **asked;
  return start;
}

}  // namespace updraft::controller

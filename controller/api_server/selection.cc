#include "controller/api_server/selection.h"

#include <algorithm>
#include <charconv>

#include "core/api/access.h"
#include "core/api/base64.h"
#include "core/api/event_view.h"

namespace updraft::controller {
namespace {

ApiError ForbiddenMatch(const std::string& why) {
  return InvalidOptions("ListOptions", "FieldValueForbidden", "resourceVersionMatch",
                        "Forbidden: " + why);
}

std::optional<ApiError> CheckMatch(const RequestOptions& options) {
  if (options.send_initial_events) {
    return InvalidOptions("ListOptions", "FieldValueForbidden", "sendInitialEvents",
                          "Forbidden: sendInitialEvents is forbidden for list");
  }
  const std::string& match = options.resource_version_match;
  if (match.empty()) return std::nullopt;
  if (options.resource_version.empty())
    return ForbiddenMatch("resourceVersionMatch is forbidden unless resourceVersion is provided");
  if (!options.continue_token.empty())
    return ForbiddenMatch("resourceVersionMatch is forbidden when continue is provided");
  if (match != "Exact" && match != "NotOlderThan") {
    return InvalidOptions(
        "ListOptions", "FieldValueNotSupported", "resourceVersionMatch",
        "Unsupported value: \"" + match + "\": supported values: \"Exact\", \"NotOlderThan\"");
  }
  if (match == "Exact" && options.resource_version == "0") {
    return ForbiddenMatch("resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\"");
  }
  return std::nullopt;
}

bool ReadToken(std::string text, ListPlan& plan) {
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  while (text.size() % 4 != 0) text += '=';
  const std::optional<std::string> bytes = api::DecodeBase64(text);
  const Json token = bytes ? Json::parse(*bytes, nullptr, false) : Json();
  const std::string start = api::StringAt(token, {"start"});
  const int64_t revision = api::IntAt(token, {"rv"});
  const size_t slash = start.find('/');
  if (api::StringAt(token, {"v"}) != "updraft/v1" || revision == 0 || revision < -1 ||
      slash == std::string::npos || slash + 1 == start.size()) {
    return false;
  }
  plan.revision = std::max<int64_t>(revision, 0);
  plan.after_ns = start.substr(0, slash);
  plan.after_name = start.substr(slash + 1);
  plan.seen = static_cast<size_t>(std::max<int64_t>(api::IntAt(token, {"seen"}), 0));
  plan.continued = true;
  return true;
}

}  // namespace

ApiResult<Selection> ParseSelection(const api::Kind& kind, const RequestOptions& options) {
  Selection selection;
  Result<api::LabelSelector> labels = api::LabelSelector::Parse(options.label_selector);
  if (!labels) return BadRequest(labels.error().message);
  Result<api::FieldSelector> fields = api::FieldSelector::Parse(
      kind.from_stored ? api::EventSelectorToStored(options.field_selector)
                       : options.field_selector,
      kind.selectable_fields);
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

std::string ContinueToken(int64_t revision, const std::string& ns, const std::string& name,
                          size_t seen) {
  const Json token = {
      {"v", "updraft/v1"}, {"rv", revision}, {"start", ns + "/" + name}, {"seen", seen}};
  std::string text = api::EncodeBase64(api::ToText(token));
  // Fit for a query without escapes.
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  std::erase(text, '=');
  return text;
}

ApiResult<ListPlan> PlanList(const RequestOptions& options, int64_t current) {
  if (auto error = CheckMatch(options)) return *std::move(error);
  const auto asked = ParseResourceVersion(options);
  if (!asked) return asked.error();
  const int64_t version = asked->value_or(0);
  if (version > current) return TooLargeVersion(version, current);
  ListPlan plan{.limit = static_cast<size_t>(options.limit.value_or(0))};
  if (!options.continue_token.empty()) {
    if (version != 0)
      return BadRequest("specifying resource version is not allowed when using continue");
    if (!ReadToken(options.continue_token, plan))
      return BadRequest("continue key is not valid: it was not made by this server");
    if (plan.revision > current) return TooLargeVersion(plan.revision, current);
    return plan;
  }
  const bool any = options.resource_version_match == "NotOlderThan";
  const bool exact = options.resource_version_match == "Exact" || (plan.limit > 0 && !any);
  if (exact) plan.revision = version;
  return plan;
}

ApiError ListExpired(const ListPlan& plan) {
  if (!plan.continued) return Expired("The resourceVersion for the provided list is too old.");
  ApiError error = Expired(
      "The provided continue parameter is too old to display a consistent list result. You can "
      "start a new list without the continue parameter, or use the continue token in this response "
      "to retrieve the remainder of the results. Continuing with the provided token results in an "
      "inconsistent list - objects that were created, modified, or deleted between the time the "
      "first chunk was returned and now may show up in the list.");
  error.continue_token = ContinueToken(-1, plan.after_ns, plan.after_name, plan.seen);
  return error;
}

ApiResult<WatchStart> PlanWatch(const RequestOptions& options, int64_t current) {
  const auto asked = ParseResourceVersion(options);
  if (!asked) return asked.error();
  if (options.send_initial_events && options.resource_version_match != "NotOlderThan") {
    return ForbiddenMatch(
        "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (!options.send_initial_events && !options.resource_version_match.empty()) {
    return ForbiddenMatch(
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

#include <algorithm>

#include "cli/client/for_each.h"
#include "cli/client/merge.h"
#include "cli/client/place.h"
#include "cli/client/resource.h"
#include "cli/client/verbs.h"
#include "cli/client/wish.h"
#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/meta.h"

namespace updraft::cli {
namespace {

constexpr int kConflictTriesMax = 5;
// A condition may pass through False on its way; this long it must stay there to count (as kn has
// it).
constexpr Nanos kFailureWindow = Seconds(2);

// One try. kAborted: someone else was quicker, try again.
Result<std::string> TryApply(const Session& session, const Place& place, const Json& wanted,
                             bool dry_run) {
  const std::string path = place.Path();
  const Result<Json> live = session.client.Call({.path = path});
  if (!live && live.error().code != Code::kNotFound) return live.error();
  if (!live) {
    const Result<Json> created =
        session.client.Call(WriteRequest("POST", place.Collection(), wanted, dry_run));
    if (created) return std::string("created");
    const bool raced = created.error().code == Code::kAlreadyExists;
    return raced ? Error{Code::kAborted, created.error().message} : created.error();
  }
  const Json patch = ThreeWayMergePatch(LastApplied(*live), wanted, *live);
  if (patch.empty()) return std::string("unchanged");
  const Result<Json> patched = session.client.Call(WriteRequest("PATCH", path, patch, dry_run));
  if (!patched) return patched.error();
  const bool same = api::ResourceVersionOf(*patched) == api::ResourceVersionOf(*live);
  return std::string(same ? "unchanged" : "configured");
}

Result<std::string> ApplyOnServer(const Session& session, const Place& place,
                                  const ApplyOptions& options) {
  ApiRequest request = WriteRequest("PATCH", place.Path(), place.document, options.dry_run);
  request.content_type = "application/apply-patch+yaml";
  if (!options.field_manager.empty()) request.query.front().second = options.field_manager;
  request.query.emplace_back("force", options.force_conflicts ? "true" : "false");
  const Result<Json> applied = session.client.Call(request);
  if (!applied) return applied.error();
  return std::string("serverside-applied");
}

Result<std::string> ApplyOne(const Session& session, const Place& place,
                             const ApplyOptions& options) {
  if (place.name.empty())
    return Error{Code::kInvalidArgument, "metadata.name is missing: apply needs a name"};
  if (options.server_side) return ApplyOnServer(session, place, options);
  const bool dry_run = options.dry_run;
  const Json wanted = WithLastApplied(place.document);
  Result<std::string> outcome = TryApply(session, place, wanted, dry_run);
  for (int tries = 1;
       tries < kConflictTriesMax && !outcome && outcome.error().code == Code::kAborted; ++tries) {
    outcome = TryApply(session, place, wanted, dry_run);
  }
  return outcome;
}

// Ready, or the reason why not: at once when it has failed for good, else when the time is over.
Status AwaitReady(const Session& session, const Place& place, Nanos timeout) {
  const Wish wish{.condition = "Ready"};
  const Wish failure{.condition = "Ready", .status = "False"};
  Json last;
  std::optional<TimePoint> failing_since;
  const WatchQuery query{.path = place.Collection(),
                         .selectors = {{"fieldSelector", "metadata.name=" + place.name}},
                         .deadline = RealClock().Now() + timeout};
  const Result<bool> seen = WatchObjects(session.client, query, [&](const ObjectsByName& objects) {
    last = objects.empty() ? Json() : objects.begin()->second;
    if (Fulfils(last, wish)) return false;
    if (!Fulfils(last, failure)) {
      failing_since.reset();
      return true;
    }
    if (!failing_since) failing_since = RealClock().Now();
    return RealClock().Now() - *failing_since < kFailureWindow;
  });
  if (!seen) return seen.error();
  if (Fulfils(last, wish)) return Ok();
  if (!last.is_object()) return Error{Code::kNotFound, "was deleted while it was waited for"};
  return Error{*seen ? Code::kFailedPrecondition : Code::kDeadlineExceeded, WhyNot(last, wish)};
}

bool HasReady(const api::Kind& kind) { return kind.group.ends_with("serving.knative.dev"); }

}  // namespace

int Apply(const Session& session, const ApplyOptions& options) {
  std::vector<Place> to_await;
  int exit_code = ForEachManifest(session, options.manifests, [&](const Place& place) -> Status {
    const Result<std::string> outcome = ApplyOne(session, place, options);
    if (!outcome) return outcome.error();
    PrintOutcome(session, place, *outcome, options.dry_run);
    if (options.wait && !options.dry_run && HasReady(*place.kind)) to_await.push_back(place);
    return Ok();
  });
  for (const Place& place : to_await) {
    const std::string shown = PrintedName(*place.kind, place.name);
    if (Status ready = AwaitReady(session, place, options.timeout); !ready) {
      exit_code = Fail(session.console, Context(shown, ready.error()));
    } else {
      session.console.out << shown << " ready" << std::endl;
    }
  }
  return exit_code;
}

}  // namespace updraft::cli

#include "controller/api_server/pod_container.h"
#include "controller/api_server/verbs.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
namespace {

ApiResult<LogRequest> ParseLogRequest(const Call& call, const Json& pod) {
  const RequestOptions& options = call.options;
  const ApiResult<std::string> container = ChooseContainer(pod, options.container);
  if (!container) return container.error();
  LogRequest request{.ns = call.request.ns,
                     .pod = call.request.name,
                     .container = *container,
                     .follow = options.follow,
                     .previous = options.previous,
                     .timestamps = options.timestamps,
                     .tail_lines = options.tail_lines,
                     .since_ns = std::nullopt,
                     .limit_bytes = options.limit_bytes};
  if (options.since_seconds && !options.since_time.empty()) {
    return BadRequest("at most one of sinceTime or sinceSeconds may be specified");
  }
  if (options.since_seconds) {
    constexpr int64_t kYears = 10LL * 365 * 24 * 3600;
    request.since_ns =
        UnixNanos(call.parts->clock->Wall() - Seconds(std::min(*options.since_seconds, kYears)));
  }
  if (!options.since_time.empty()) {
    const std::optional<WallTime> since = api::ParseTimestamp(options.since_time);
    if (!since) return BadRequest("invalid value \"" + options.since_time + "\" for sinceTime");
    request.since_ns = UnixNanos(*since);
  }
  return request;
}

ApiError FromLogs(const Error& error, const api::Kind& kind, const std::string& pod) {
  if (error.code == Code::kNotFound) return {404, "NotFound", error.message, nullptr};
  if (error.code == Code::kFailedPrecondition || error.code == Code::kInvalidArgument)
    return BadRequest(error.message);
  return FromStore(error, kind, pod);
}

http::Task<ApiResult<std::unique_ptr<LogStream>>> OpenLogs(Call* call) {
  const std::optional<Stored> pod = call->store().Get(call->Key());
  if (!pod) co_return NotFound(call->kind(), call->request.name);
  ApiResult<LogRequest> request = ParseLogRequest(*call, *pod->object);
  if (!request) co_return request.error();
  co_return call->parts->logs->Open(*std::move(request));
}

// Copies the stream to the client, beginning with `first`.
http::Task<void> Copy(Call* call, LogStream* stream, std::string first) {
  call->status = 200;
  http::Headers headers{{"Content-Type", "text/plain"}, {"Cache-Control", "no-cache, private"}};
  http::Task<Status> starting = call->exchange->StartResponse(200, std::move(headers));
  const Status started = co_await starting;
  std::string piece = std::move(first);
  while (started && !piece.empty()) {
    http::Task<Status> writing = call->exchange->Write(std::move(piece));
    const Status written = co_await writing;
    if (!written) co_return;
    http::Task<Result<std::string>> reading = stream->Next();
    Result<std::string> next = co_await reading;
    // The head is out: what has gone wrong can only be told by ending here.
    if (!next) break;
    piece = *std::move(next);
  }
  http::Task<Status> finishing = call->exchange->Finish();
  [[maybe_unused]] const Status finished = co_await finishing;
}

}  // namespace

http::Task<void> ServeLogs(Call* call) {
  http::Task<ApiResult<std::unique_ptr<LogStream>>> opening = OpenLogs(call);
  ApiResult<std::unique_ptr<LogStream>> opened = co_await opening;
  if (!opened) {
    http::Task<void> responding = RespondError(call, opened.error());
    co_await responding;
    co_return;
  }
  const std::unique_ptr<LogStream> stream = *std::move(opened);
  LogStream* logs = stream.get();
  call->exchange->OnClientGone([logs] { logs->Cancel(); });
  http::Task<Result<std::string>> reading = stream->Next();
  Result<std::string> first = co_await reading;
  if (first) {
    http::Task<void> copying = Copy(call, logs, *std::move(first));
    co_await copying;
  } else {
    http::Task<void> responding =
        RespondError(call, FromLogs(first.error(), call->kind(), call->request.name));
    co_await responding;
  }
  // The stream goes before the exchange does.
  call->exchange->OnClientGone([] {});
}

}  // namespace updraft::controller

#include <algorithm>

#include "controller/api_server/verbs.h"
#include "controller/api_server/watch_pipe.h"

namespace updraft::controller {
namespace {

// Without timeoutSeconds a watch ends by itself after this and up to twice as long, so that clients
// spread out over servers again.
constexpr Nanos kDurationMin = std::chrono::minutes(30);
constexpr Nanos kBookmarkPeriod = std::chrono::minutes(1);

TimePoint EndOf(const Call& call) {
  const TimePoint now = call.parts->loop->Now();
  if (call.options.timeout_seconds && *call.options.timeout_seconds > 0) {
    // Longer than any client waits; and no overflow.
    return now + Seconds(std::min<int64_t>(*call.options.timeout_seconds, int64_t{7} * 24 * 3600));
  }
  const auto spread =
      static_cast<int64_t>(call.parts->random() % static_cast<uint64_t>(kDurationMin.count()));
  return now + kDurationMin + Nanos(spread);
}

// Writes events until the watch is over. False: the client is gone.
http::Task<bool> Pump(Call* call, WatchPipe* pipe) {
  const TimePoint end = EndOf(*call);
  TimePoint bookmark = call->parts->loop->Now() + kBookmarkPeriod;
  while (!call->exchange->client_gone()) {
    std::string text = pipe->Take();
    if (!text.empty()) {
      http::Task<Status> writing = call->exchange->Write(std::move(text));
      const Status written = co_await writing;
      if (!written) co_return false;
      continue;
    }
    const TimePoint now = call->parts->loop->Now();
    if (pipe->ended() || now >= end) co_return true;
    if (now >= bookmark) {
      bookmark = now + kBookmarkPeriod;
      if (call->options.allow_bookmarks && pipe->advanced()) pipe->PushBookmark();
      continue;
    }
    http::Task<bool> waiting = pipe->signal().WaitUntil(std::min(end, bookmark));
    [[maybe_unused]] const bool notified = co_await waiting;
  }
  co_return false;
}

}  // namespace

http::Task<void> ServeWatch(Call* call) {
  ApiResult<Selection> selection = ParseSelection(call->kind(), call->options);
  ObjectStore& store = call->store();
  const ApiResult<WatchStart> start = PlanWatch(call->options, store.revision());
  if (!selection || !start) {
    const ApiError error = selection ? start.error() : selection.error();
    http::Task<void> responding = RespondError(call, error);
    co_await responding;
    co_return;
  }
  // Events are lines of JSON, whatever form single objects were asked for in.
  call->format.encoding = Format::Encoding::kJson;
  Presentation how{.kind = &call->kind(),
                   .format = call->format,
                   .include_object = call->options.include_object,
                   .now = call->parts->clock->Wall()};
  WatchPipe pipe(*call->parts->loop, *call->parts->clock, store, std::move(how),
                 *std::move(selection));
  pipe.Open(call->request.ns, *start);

  call->status = 200;
  http::Headers headers{{"Content-Type", "application/json"},
                        {"Cache-Control", "no-cache, private"}};
  http::Task<Status> starting = call->exchange->StartResponse(200, std::move(headers));
  const Status started = co_await starting;
  if (!started) co_return;
  http::Signal* signal = &pipe.signal();
  call->exchange->OnClientGone([signal] { signal->Notify(); });
  http::Task<bool> pumping = Pump(call, &pipe);
  const bool over = co_await pumping;
  // The pipe goes before the exchange does.
  call->exchange->OnClientGone([] {});
  if (!over) co_return;
  http::Task<Status> finishing = call->exchange->Finish();
  [[maybe_unused]] const Status finished = co_await finishing;
}

}  // namespace updraft::controller

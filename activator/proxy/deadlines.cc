#include "activator/proxy/deadlines.h"

#include <algorithm>

namespace updraft::activator {
namespace {

std::string Describe(const char* what, Nanos limit, const char* field) {
  const auto millis = std::chrono::duration_cast<Millis>(limit).count();
  std::string text = std::string(what) + " within " + std::to_string(millis / 1000);
  if (millis % 1000 != 0) text += "." + std::to_string(1000 + millis % 1000).substr(1);
  return text + " s (" + field + ")";
}

}  // namespace

RequestDeadlines::RequestDeadlines(Loop& loop, const RequestTimeouts& timeouts,
                                   DeadlineObserver& observer)
    : Timer(loop.timers()),
      loop_(loop),
      timeouts_(timeouts),
      observer_(observer),
      start_(loop.Now()),
      last_activity_(start_) {
  Set(Next());
}

TimePoint RequestDeadlines::Next() const {
  TimePoint when = start_ + timeouts_.total;
  if (timeouts_.response_start > Nanos(0) && !started_)
    when = std::min(when, start_ + timeouts_.response_start);
  if (timeouts_.idle > Nanos(0)) when = std::min(when, last_activity_ + timeouts_.idle);
  if (timeouts_.silent_stream > Nanos(0) && started_)
    when = std::min(when, last_activity_ + timeouts_.silent_stream);
  return when;
}

// Only a stream has a limit that comes nearer by its beginning.
void RequestDeadlines::WatchForSilence() {
  last_activity_ = loop_.Now();
  Set(Next());
}

// Activity only moves a limit away: the timer stays where it is and looks again when it fires.
void RequestDeadlines::OnTimer() {
  const TimePoint now = loop_.Now();
  const TimePoint when = Next();
  if (now < when) {
    Set(when);
    return;
  }
  if (now >= start_ + timeouts_.total) {
    expired_ = Limit::kTotal;
  } else if (timeouts_.response_start > Nanos(0) && !started_ &&
             now >= start_ + timeouts_.response_start) {
    expired_ = Limit::kResponseStart;
  } else if (timeouts_.idle > Nanos(0) && now >= last_activity_ + timeouts_.idle) {
    expired_ = Limit::kIdle;
  } else {
    expired_ = Limit::kSilentStream;
  }
  observer_.OnDeadline();
}

std::string RequestDeadlines::why() const {
  switch (expired_) {
    case Limit::kTotal:
      return Describe("the request did not end", timeouts_.total, "timeoutSeconds");
    case Limit::kResponseStart:
      return Describe("no response began", timeouts_.response_start, "responseStartTimeoutSeconds");
    case Limit::kSilentStream:
      return Describe("nothing passed on the stream", timeouts_.silent_stream,
                      "updraft.dev/silent-stream-timeout");
    default:
      return Describe("nothing was sent", timeouts_.idle, "idleTimeoutSeconds");
  }
}

}  // namespace updraft::activator

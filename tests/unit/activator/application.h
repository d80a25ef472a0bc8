// An application that takes its time and counts who is inside, and a client of it.
#pragma once

#include <atomic>
#include <latch>
#include <string>
#include <utility>

#include "core/base/loop.h"
#include "core/http/client.h"
#include "core/http/exchange.h"
#include "core/http/sync.h"
#include "core/http/task.h"

namespace updraft::activator {

struct Application {
  std::atomic<int> inside{0};
  std::atomic<int> most_inside{0};
  std::atomic<int> served{0};
};

// Two milliseconds, then "hello". `application` must outlive the exchange.
inline http::Task<void> Answer(http::Exchange& exchange, Application* application) {
  const int inside = application->inside.fetch_add(1) + 1;
  int most = application->most_inside.load();
  while (most < inside && !application->most_inside.compare_exchange_weak(most, inside)) {
  }
  const TimePoint until = exchange.loop().Now() + Millis(2);
  co_await http::SleepUntil(exchange.loop(), until);
  application->inside.fetch_sub(1);
  application->served.fetch_add(1);
  http::Headers headers;
  std::string body = "hello";
  co_await exchange.Respond(200, headers, body);
}

// Counts in `ok` the answers of such an application.
inline http::Task<void> Get(Loop* loop, std::string address, std::string host, std::atomic<int>* ok, std::latch* done) {
  http::Request request;
  request.address = std::move(address);
  request.headers.Set("Host", host);
  request.deadline = loop->Now() + Seconds(30);
  const auto response = co_await http::Fetch(*loop, request);
  if (response && response->status == 200 && response->body == "hello") ok->fetch_add(1);
  done->count_down();
}

}  // namespace updraft::activator

// A load for end-to-end tests: every request has an id, every answer is accounted for.
//
//   updraft_load --url URL [--host HOST] --at-once N
//   updraft_load --url URL [--host HOST] --rate PER_SECOND --seconds S
//   updraft_load --url URL [--host HOST] --concurrency N --seconds S      N in flight all the time
//
// Prints one JSON object: sent, answered by status, errors by text, latency percentiles in ms, and how many answers
// each instance gave (header X-Instance), and the most requests that any of them saw at once (header X-In-Flight). With
// --by-second also how many answers each instance gave to the requests of each second. No request is repeated. Exit code
// 0 when all were answered with 200.
#include <curl/curl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using SteadyClock = std::chrono::steady_clock;

struct Options {
  std::string url;
  std::string host;
  int at_once = 0;
  double rate = 0;
  int concurrency = 0;
  double seconds = 0;
  int timeout_seconds = 60;
  bool by_second = false;
};

struct Outcome {
  std::map<std::string, int> statuses;
  std::map<std::string, int> errors;
  std::map<std::string, int> instances;
  int in_flight_max = 0;
  std::vector<double> millis;
  std::vector<std::map<std::string, int>> by_second;  // instances, by the second of the request
};

// One request in flight. Owns its curl handle.
class Call {
 public:
  Call(const Options& options, const std::string& id, SteadyClock::time_point load_started)
      : started_(SteadyClock::now()),
        second_(static_cast<size_t>(std::chrono::duration_cast<std::chrono::seconds>(started_ - load_started).count())) {
    headers_ = curl_slist_append(headers_, ("X-Id: " + id).c_str());
    if (!options.host.empty()) headers_ = curl_slist_append(headers_, ("Host: " + options.host).c_str());
    curl_easy_setopt(easy_, CURLOPT_URL, options.url.c_str());
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT, static_cast<long>(options.timeout_seconds));
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Discard);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &OnHeader);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
    curl_easy_setopt(easy_, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  }
  ~Call() {
    curl_easy_cleanup(easy_);
    curl_slist_free_all(headers_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  CURL* easy() const { return easy_; }

  void Record(CURLcode code, Outcome& outcome) const {
    const std::chrono::duration<double, std::milli> took = SteadyClock::now() - started_;
    outcome.millis.push_back(took.count());
    if (code != CURLE_OK) {
      ++outcome.errors[curl_easy_strerror(code)];
      return;
    }
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    ++outcome.statuses[std::to_string(status)];
    if (!instance_.empty()) {
      ++outcome.instances[instance_];
      if (outcome.by_second.size() <= second_) outcome.by_second.resize(second_ + 1);
      ++outcome.by_second[second_][instance_];
    }
    outcome.in_flight_max = std::max(outcome.in_flight_max, in_flight_);
  }

 private:
  static size_t Discard(char*, size_t size, size_t count, void*) { return size * count; }

  // Of the field whose name, in lower case and with what follows it, is `name`.
  static std::optional<std::string> ValueOf(std::string_view line, std::string_view name) {
    std::string start(line.substr(0, name.size()));
    std::ranges::transform(start, start.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (start != name) return std::nullopt;
    const std::string_view value = line.substr(name.size());
    return std::string(value.substr(0, value.find_last_not_of("\r\n") + 1));
  }

  static size_t OnHeader(char* data, size_t size, size_t count, void* self) {
    auto* call = static_cast<Call*>(self);
    const std::string_view line(data, size * count);
    if (const auto instance = ValueOf(line, "x-instance: ")) call->instance_ = *instance;
    if (const auto in_flight = ValueOf(line, "x-in-flight: ")) call->in_flight_ = std::atoi(in_flight->c_str());
    return size * count;
  }

  CURL* const easy_ = curl_easy_init();
  curl_slist* headers_ = nullptr;
  const SteadyClock::time_point started_;
  const size_t second_;
  std::string instance_;
  int in_flight_ = 0;
};

class Load {
 public:
  explicit Load(const Options& options) : options_(options) {
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, 0L);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 512L);
  }
  ~Load() { curl_multi_cleanup(multi_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Outcome Run() {
    const auto start = started_;
    const int total = options_.at_once > 0 ? options_.at_once : static_cast<int>(options_.rate * options_.seconds);
    while (options_.concurrency == 0 && finished_ < total) {
      const std::chrono::duration<double> passed = SteadyClock::now() - start;
      const int due = options_.at_once > 0 ? total : std::min(total, static_cast<int>(passed.count() * options_.rate) + 1);
      while (sent_ < due) Send();
      Turn();
    }
    const auto end = start + std::chrono::duration<double>(options_.seconds);
    while (options_.concurrency > 0 && (SteadyClock::now() < end || finished_ < sent_)) {
      while (SteadyClock::now() < end && sent_ - finished_ < options_.concurrency) Send();
      Turn();
    }
    return outcome_;
  }

  int sent() const { return sent_; }

 private:
  void Send() {
    auto* call = new Call(options_, prefix_ + std::to_string(sent_++), started_);
    curl_multi_add_handle(multi_, call->easy());
  }

  void Turn() {
    int running = 0;
    curl_multi_perform(multi_, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      Call* raw = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &raw);
      const std::unique_ptr<Call> call(raw);
      call->Record(message->data.result, outcome_);
      curl_multi_remove_handle(multi_, call->easy());
      ++finished_;
    }
    curl_multi_poll(multi_, nullptr, 0, 2, nullptr);
  }

  const Options& options_;
  const std::string prefix_ = std::to_string(SteadyClock::now().time_since_epoch().count()) + "-";
  CURLM* const multi_ = curl_multi_init();
  const SteadyClock::time_point started_ = SteadyClock::now();
  int sent_ = 0;
  int finished_ = 0;
  Outcome outcome_;
};

double Percentile(const std::vector<double>& sorted, double fraction) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(fraction * static_cast<double>(sorted.size())))];
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Load with accounting");
  app.add_option("--url", options.url)->required();
  app.add_option("--host", options.host, "Host header");
  app.add_option("--at-once", options.at_once, "This many requests, all at the same time");
  app.add_option("--rate", options.rate, "Requests per second");
  app.add_option("--concurrency", options.concurrency, "This many in flight, for --seconds");
  app.add_option("--seconds", options.seconds);
  app.add_option("--timeout", options.timeout_seconds, "Seconds for one request")->capture_default_str();
  app.add_flag("--by-second", options.by_second, "Tell instances by second too");
  CLI11_PARSE(app, argc, argv);

  Load load(options);
  Outcome outcome = load.Run();
  std::ranges::sort(outcome.millis);
  nlohmann::ordered_json report = {{"sent", load.sent()},
                                         {"statuses", outcome.statuses},
                                         {"errors", outcome.errors},
                                         {"instances", outcome.instances},
                                         {"in_flight_max", outcome.in_flight_max},
                                         {"p50_ms", Percentile(outcome.millis, 0.5)},
                                         {"p99_ms", Percentile(outcome.millis, 0.99)},
                                         {"max_ms", Percentile(outcome.millis, 1)}};
  if (options.by_second) report["by_second"] = outcome.by_second;
  std::cout << report.dump() << "\n";
  return outcome.statuses["200"] == load.sent() ? 0 : 1;
}

// A small API server for tests of the verbs: objects in a map, on a loop thread of its own.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <sstream>

#include "cli/client/session.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/patch.h"
#include "core/api/read.h"
#include "core/base/loop.h"
#include "core/http/exchange.h"
#include "core/http/server.h"
#include "core/http/sync.h"

namespace updraft::cli {

class FakeApi {
 public:
  FakeApi() {
    RunOnLoop([this] {
      server_ = std::make_unique<http::Server>(
          thread_.loop(), http::ServerOptions{},
          [this](http::Exchange& exchange) { return Serve(this, &exchange); });
      port_ = *server_->Listen("127.0.0.1:0");
    });
  }
  ~FakeApi() {
    RunOnLoop([this] { server_.reset(); });
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // Puts an object, as if by someone else; watchers hear of it.
  void Put(const std::string& path, Json object) {
    RunOnLoop([&] { Store(path, std::move(object)); });
  }
  void Remove(const std::string& path) {
    RunOnLoop([&] { Erase(path); });
  }
  Json Get(const std::string& path) {
    Json object;
    RunOnLoop([&] { object = objects_.contains(path) ? objects_[path] : Json(); });
    return object;
  }
  // The next answers to requests of this method ("WATCH" for watches) and path, before the map is
  // asked.
  void Script(const std::string& method_and_path, int status, std::string body) {
    RunOnLoop([&] { scripts_[method_and_path].push_back({status, std::move(body)}); });
  }
  // Runs once, on the server's thread, when a watch begins.
  void OnWatch(std::function<void(FakeApi&)> callback) {
    RunOnLoop([&] { on_watch_ = std::move(callback); });
  }
  // "GET /path?query" of each request, in order.
  std::vector<std::string> Requests() {
    std::vector<std::string> requests;
    RunOnLoop([&] { requests = requests_; });
    return requests;
  }
  std::string LastBody() {
    std::string body;
    RunOnLoop([&] { body = last_body_; });
    return body;
  }

  // On the server's thread.
  void Store(const std::string& path, Json object) {
    const bool known = objects_.contains(path);
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    if (!object["metadata"].contains("uid"))
      object["metadata"]["uid"] = "uid-" + std::to_string(version_);
    objects_[path] = object;
    events_.push_back(
        {version_, path, {{"type", known ? "MODIFIED" : "ADDED"}, {"object", object}}});
    changed_.Notify();
  }
  void Erase(const std::string& path) {
    events_.push_back({++version_, path, {{"type", "DELETED"}, {"object", objects_[path]}}});
    objects_.erase(path);
    changed_.Notify();
  }

 private:
  LoopThread thread_{"api"};  // first: the loop outlives what runs on it

  struct Event {
    int64_t version = 0;
    std::string path;
    Json event;
  };
  struct Answer {
    int status = 200;
    std::string body;
  };

  void RunOnLoop(const std::function<void()>& work) {
    std::mutex mutex;
    std::condition_variable finished;
    bool done = false;
    thread_.loop().Post([&] {
      work();
      const std::lock_guard lock(mutex);
      done = true;
      finished.notify_one();
    });
    std::unique_lock lock(mutex);
    finished.wait(lock, [&] { return done; });
  }

  static std::string Failure(int status, const std::string& reason, const std::string& message) {
    return api::ToText({{"kind", "Status"},
                        {"status", "Failure"},
                        {"reason", reason},
                        {"message", message},
                        {"code", status}});
  }

  static http::Task<void> Serve(FakeApi* self, http::Exchange* exchange) {
    const http::RequestHead& head = exchange->request();
    self->requests_.push_back(head.method + " " + head.target);
    const std::string path(head.path());
    const bool watch = http::QueryParameter(head.query(), "watch").value_or("") == "true";
    if (watch && self->scripts_["WATCH " + path].empty()) {
      http::Task<void> watching = Watch(self, exchange, path);
      co_await std::move(watching);
      co_return;
    }
    http::Task<Result<std::string>> reading = exchange->ReadBody(1 << 20);
    Result<std::string> body = co_await std::move(reading);
    self->last_body_ = body ? *body : "";
    const Answer answer = self->AnswerTo(watch ? "WATCH" : head.method, path, self->last_body_);
    http::Headers headers{{"Content-Type", "application/json"}};
    if (head.method == "POST") headers.Add("Warning", "299 - \"be careful\"");
    http::Task<Status> responding =
        exchange->Respond(answer.status, std::move(headers), answer.body);
    const Status sent = co_await std::move(responding);
    (void)sent;
  }

  // Sends the events of one collection until the client goes away.
  static http::Task<void> Watch(FakeApi* self, http::Exchange* exchange, std::string path) {
    int64_t seen = std::stoll(
        http::QueryParameter(exchange->request().query(), "resourceVersion").value_or("0"));
    http::Headers headers{{"Content-Type", "application/json"}};
    http::Task<Status> starting = exchange->StartResponse(200, std::move(headers));
    Status status = co_await std::move(starting);
    if (const auto callback = std::exchange(self->on_watch_, nullptr)) callback(*self);
    exchange->OnClientGone([self] { self->changed_.Notify(); });
    while (status && !exchange->client_gone()) {
      std::string lines;
      for (const Event& event : self->events_) {
        const bool new_and_of_this = event.version > seen && event.path.starts_with(path + "/");
        if (new_and_of_this) lines += api::ToText(event.event) + "\n";
      }
      seen = self->version_;
      if (!lines.empty()) {
        http::Task<Status> writing = exchange->Write(std::move(lines));
        status = co_await std::move(writing);
        continue;
      }
      co_await self->changed_.Wait();
    }
  }

  Answer AnswerTo(const std::string& method, const std::string& path, const std::string& body) {
    auto& script = scripts_[method + " " + path];
    if (!script.empty()) {
      Answer answer = script.front();
      script.pop_front();
      return answer;
    }
    if (method == "POST") {
      Json object = api::ReadJson(body)->value;
      Store(path + "/" + api::NameOf(object), object);
      return {201, api::ToText(objects_[path + "/" + api::NameOf(object)])};
    }
    const bool is_collection = path.ends_with("s") && !objects_.contains(path);
    if (is_collection && method == "GET") return {200, List(path)};
    if (!objects_.contains(path))
      return {404,
              Failure(404, "NotFound", "\"" + path.substr(path.rfind('/') + 1) + "\" not found")};
    if (method == "PUT") Store(path, api::ReadJson(body)->value);
    if (method == "PATCH") Store(path, api::MergePatch(objects_[path], api::ReadJson(body)->value));
    const std::string text = api::ToText(objects_[path]);
    if (method == "DELETE") Erase(path);
    return {200, text};
  }

  std::string List(const std::string& path) {
    Json items = Json::array();
    for (const auto& [key, object] : objects_) {
      if (key.starts_with(path + "/")) items.push_back(object);
    }
    return api::ToText({{"kind", "List"},
                        {"metadata", {{"resourceVersion", std::to_string(version_)}}},
                        {"items", items}});
  }

  // Loop thread only.
  std::unique_ptr<http::Server> server_;
  std::map<std::string, Json> objects_;  // by path
  std::vector<Event> events_;
  std::map<std::string, std::deque<Answer>> scripts_;
  std::function<void(FakeApi&)> on_watch_;
  http::Signal changed_{thread_.loop()};
  std::vector<std::string> requests_;
  std::string last_body_;
  int64_t version_ = 0;

  uint16_t port_ = 0;
};

// A verb's surroundings: a client of the fake server and a console that keeps what is printed.
struct TestSession {
  explicit TestSession(FakeApi& api)
      : client({.server = api.url()},
               [this](const std::string& text) { err << "Warning: " << text << "\n"; }) {}
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  RestClient client;
  Session session{client, "default", false, {in, out, err}};
};

}  // namespace updraft::cli

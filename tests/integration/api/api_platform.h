// A whole API server on loopback for tests: real loop, real HTTP, objects in memory unless said
// otherwise. Reconcilers are played by the test itself.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>

#include "controller/api_server/api_server.h"
#include "controller/objects/object_store.h"
#include "core/base/check.h"
#include "core/base/loop.h"
#include "core/http/server.h"
#include "core/store/store.h"

namespace updraft::controller {

// Logs that a test writes by hand: what was appended for a pod, and more as long as it is followed.
class ScriptedLogs : public LogSource {
 public:
  explicit ScriptedLogs(Loop& loop) : loop_(loop) {}

  // Loop thread only.
  void Append(const std::string& pod, const std::string& text);
  std::unique_ptr<LogStream> Open(LogRequest request) override;
  const LogRequest& last_request() const { return last_; }

 private:
  class Stream;

  Loop& loop_;
  std::map<std::string, std::string> texts_;
  std::vector<Stream*> streams_;
  LogRequest last_;
};

class ApiPlatform {
 public:
  // `durable`: as OpenStore() takes it; empty: in memory, with revisions from 1 on.
  explicit ApiPlatform(ObjectStoreOptions history = {}, const std::string& durable = "");
  ~ApiPlatform();
  ApiPlatform(const ApiPlatform&) = delete;
  ApiPlatform& operator=(const ApiPlatform&) = delete;

  uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // Runs `work` on the loop's thread and waits until it is done.
  void OnLoop(std::function<void()> work);
  // The same for a task.
  template <typename T>
  T Await(std::function<http::Task<T>()> start);

  // What a reconciler does: writes an object past the API.
  void Store(const std::string& api_version, const std::string& kind, Json object);
  // The stored object; null when there is none.
  Json Stored(const std::string& api_version, const std::string& kind, const std::string& ns,
              const std::string& name);
  void Remove(const std::string& api_version, const std::string& kind, const std::string& ns,
              const std::string& name);

  Loop& loop() { return loop_.loop(); }
  ScriptedLogs& logs() { return *logs_; }
  ObjectStore& durable() { return *durable_; }
  ObjectStore& soft() { return *soft_; }
  store::Store& durable_store() { return *durable_store_; }

 private:
  template <typename T>
  static http::Task<void> Finish(http::Task<T> task, std::promise<T>* done);
  // The instance behind it is gone at once.
  bool Evict(const std::string& pod);
  http::Task<void> Drop(ObjectKey key);
  ObjectStore& StoreOf(const api::Kind& kind) { return kind.soft ? *soft_ : *durable_; }

  LoopThread loop_{"api"};
  std::unique_ptr<store::Store> durable_store_;
  std::unique_ptr<store::Store> soft_store_;
  std::unique_ptr<ObjectStore> durable_;
  std::unique_ptr<ObjectStore> soft_;
  std::unique_ptr<ScriptedLogs> logs_;
  std::unique_ptr<ApiServer> api_;
  std::unique_ptr<http::Server> server_;
  http::Scope evictions_;
  uint16_t port_ = 0;
};

template <typename T>
http::Task<void> ApiPlatform::Finish(http::Task<T> task, std::promise<T>* done) {
  T result = co_await task;
  done->set_value(std::move(result));
}

template <typename T>
T ApiPlatform::Await(std::function<http::Task<T>()> start) {
  std::promise<T> done;
  loop_.loop().Post([&done, &start] { http::Spawn(Finish<T>(start(), &done)); });
  return done.get_future().get();
}

}  // namespace updraft::controller

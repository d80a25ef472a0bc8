#include "tests/integration/api/api_platform.h"

#include <algorithm>

#include "core/api/meta.h"
#include "core/http/sync.h"
#include "core/store/memory_store.h"
#include "core/store/open_store.h"

namespace updraft::controller {

class ScriptedLogs::Stream : public LogStream {
 public:
  Stream(ScriptedLogs& source, LogRequest request)
      : source_(source), request_(std::move(request)), signal_(source.loop_) {
    source_.streams_.push_back(this);
  }
  ~Stream() override { std::erase(source_.streams_, this); }

  http::Task<Result<std::string>> Next() override {
    while (true) {
      if (cancelled_) co_return Error{Code::kCancelled, "cancelled"};
      const auto found = source_.texts_.find(request_.pod);
      if (found == source_.texts_.end())
        co_return Error{Code::kNotFound, "no logs of " + request_.pod};
      std::string text = found->second.substr(read_);
      read_ = found->second.size();
      if (!text.empty() || !request_.follow) co_return text;
      http::Task<void> waiting = signal_.Wait();
      co_await waiting;
    }
  }
  void Cancel() override {
    cancelled_ = true;
    signal_.Notify();
  }
  void Wake() { signal_.Notify(); }

 private:
  ScriptedLogs& source_;
  const LogRequest request_;
  http::Signal signal_;
  size_t read_ = 0;
  bool cancelled_ = false;
};

void ScriptedLogs::Append(const std::string& pod, const std::string& text) {
  texts_[pod] += text;
  for (Stream* stream : streams_) stream->Wake();
}

std::unique_ptr<LogStream> ScriptedLogs::Open(LogRequest request) {
  last_ = request;
  return std::make_unique<Stream>(*this, std::move(request));
}

namespace {

std::unique_ptr<store::Store> Open(const std::string& spec, const store::Post& post) {
  if (spec.empty()) return std::make_unique<store::MemoryStore>(post);
  Result<std::unique_ptr<store::Store>> opened = store::OpenStore(spec, RealClock(), post);
  UPDRAFT_CHECK(opened.has_value());
  return *std::move(opened);
}

}  // namespace

ApiPlatform::ApiPlatform(ObjectStoreOptions history, const std::string& durable) {
  Loop& loop = loop_.loop();
  const store::Post post = [&loop](std::function<void()> work) { loop.Post(std::move(work)); };
  OnLoop([&] {
    durable_store_ = Open(durable, post);
    soft_store_ = std::make_unique<store::MemoryStore>(post, 1000);
    durable_ = std::make_unique<ObjectStore>(*durable_store_, history);
    soft_ = std::make_unique<ObjectStore>(*soft_store_, history);
    logs_ = std::make_unique<ScriptedLogs>(loop);
  });
  UPDRAFT_CHECK(Await<Status>([this] { return durable_->Load(); }).has_value());
  UPDRAFT_CHECK(Await<Status>([this] { return soft_->Load(); }).has_value());
  OnLoop([&] {
    api_ = std::make_unique<ApiServer>(
        loop, [this](const api::Kind& kind) -> ObjectStore& { return StoreOf(kind); }, *logs_,
        ApiServerOptions{
            .random = [next = uint64_t{1}]() mutable { return next++ * 0x9e3779b97f4a7c15ULL; },
            .evict = [this](const std::string& pod) { return Evict(pod); },
            .ready = {},
            .on_call = {}});
  });
  UPDRAFT_CHECK(Await<Status>([this] { return api_->Prepare(); }).has_value());
  OnLoop([&] {
    server_ = std::make_unique<http::Server>(
        loop, http::ServerOptions{},
        [this](http::Exchange& exchange) { return api_->Handle(exchange); });
    const Result<uint16_t> port = server_->Listen("127.0.0.1:0");
    UPDRAFT_CHECK(port.has_value());
    port_ = *port;
  });
}

ApiPlatform::~ApiPlatform() {
  OnLoop([this] {
    server_.reset();
    api_.reset();
    logs_.reset();
    durable_.reset();
    soft_.reset();
    durable_store_.reset();
    soft_store_.reset();
  });
}

bool ApiPlatform::Evict(const std::string& pod) {
  for (const auto& object : soft_->List("pods", "").objects) {
    if (api::NameOf(*object) != pod) continue;
    ObjectKey key{.resource = "pods", .ns = api::NamespaceOf(*object), .name = pod};
    evictions_.Spawn(Drop(std::move(key)));
    return true;
  }
  return false;
}

http::Task<void> ApiPlatform::Drop(ObjectKey key) {
  [[maybe_unused]] const auto gone = co_await soft_->Delete(std::move(key), std::nullopt);
}

void ApiPlatform::OnLoop(std::function<void()> work) {
  std::promise<void> done;
  loop_.loop().Post([&done, &work] {
    work();
    done.set_value();
  });
  done.get_future().get();
}

void ApiPlatform::Store(const std::string& api_version, const std::string& kind_name, Json object) {
  const api::Kind& kind = *api::FindKind(api_version, kind_name);
  object["apiVersion"] = api_version;
  object["kind"] = kind_name;
  const ObjectKey key{.resource = kind.StoreResource(),
                      .ns = api::NamespaceOf(object),
                      .name = api::NameOf(object)};
  const auto write = [this, &kind, &key, &object]() {
    const auto old = StoreOf(kind).Get(key);
    return old ? StoreOf(kind).Update(key, object, old->revision)
               : StoreOf(kind).Create(key, object);
  };
  const Result<controller::Stored> stored = Await<Result<controller::Stored>>(write);
  UPDRAFT_CHECK(stored.has_value());
}

Json ApiPlatform::Stored(const std::string& api_version, const std::string& kind_name,
                         const std::string& ns, const std::string& name) {
  const api::Kind& kind = *api::FindKind(api_version, kind_name);
  Json object = nullptr;
  OnLoop([&] {
    const auto stored =
        StoreOf(kind).Get({.resource = kind.StoreResource(), .ns = ns, .name = name});
    if (stored) object = *stored->object;
  });
  return object;
}

void ApiPlatform::Remove(const std::string& api_version, const std::string& kind_name,
                         const std::string& ns, const std::string& name) {
  const api::Kind& kind = *api::FindKind(api_version, kind_name);
  const ObjectKey key{.resource = kind.StoreResource(), .ns = ns, .name = name};
  const auto removed =
      Await<Result<controller::Stored>>([&] { return StoreOf(kind).Delete(key, std::nullopt); });
  UPDRAFT_CHECK(removed.has_value());
}

}  // namespace updraft::controller

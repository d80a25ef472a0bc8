// The API of Kubernetes' shape that kubectl, kn and the CLI speak, over the kinds of the table.
// Loop thread only.
//
//   ApiServer api(loop, stores, logs, {});
//   co_await api.Prepare();
//   http::Server server(loop, {}, [&api](http::Exchange& x) { return api.Handle(x); });
//
// Objects are created, changed and removed in the stores that the kinds are kept in; everything
// that follows from that is the reconcilers' work. Deleting marks objects
// (controller/objects/deletion.h) and removes those that nothing holds.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "controller/api_server/call.h"
#include "controller/api_server/documents.h"
#include "controller/api_server/log_source.h"
#include "controller/objects/object_store.h"
#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/http/exchange.h"

namespace updraft::controller {

// For metrics and the log: one call, once it was answered. A watch when it has ended.
struct CallRecord {
  std::string_view verb;      // "get", "list", ...; "" for documents
  std::string_view resource;  // "services.serving.knative.dev"; "" for documents
  int code = 0;               // 0: the client went away first
  Nanos took = {};
};

struct ApiServerOptions {
  const Clock* clock = &RealClock();
  std::string release = "0.1.0";
  // Who users are taken to be: nobody has to log in.
  std::string user = "system:admin";
  // For names and uids. Unset: the kernel's.
  std::function<uint64_t()> random = {};
  // Has the instance behind a pod replaced and stopped; false: there is none. Unset: there is none.
  std::function<bool(const std::string& pod)> evict = {};
  // What /readyz says. Unset: ready.
  std::function<Status()> ready = {};
  std::function<void(const CallRecord&)> on_call = {};
  // What runs in instances for connected clients; must outlive the server. Null: nothing does.
  SessionSource* sessions = nullptr;
};

class ApiServer {
 public:
  // `stores` gives the store of a kind: the durable one, or the soft one where Kind::soft. All must
  // outlive this, and this the exchanges that it handles.
  ApiServer(Loop& loop, std::function<ObjectStore&(const api::Kind&)> stores, LogSource& logs,
            ApiServerOptions options);
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  // Makes what is always there, where it is not: namespaces default and knative-serving, and the
  // config-* ConfigMaps in the latter. Call it before serving.
  http::Task<Status> Prepare();

  http::Task<void> Handle(http::Exchange& exchange);

 private:
  http::Task<Status> Ensure(Json object);
  http::Task<void> HandleResource(http::Exchange* exchange);
  http::Task<void> HandleDocument(http::Exchange* exchange);
  Page PageFor(const http::RequestHead& request) const;
  void Record(const Call& call, TimePoint started) const;

  const ApiServerOptions options_;
  const ServerParts parts_;
  const Documents documents_;
};

}  // namespace updraft::controller

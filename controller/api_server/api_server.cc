#include "controller/api_server/api_server.h"

#include <sys/random.h>

#include "controller/api_server/admission.h"
#include "controller/api_server/verbs.h"
#include "core/api/access.h"
#include "core/api/config_example.h"
#include "core/api/constants.h"
#include "core/api/meta.h"
#include "core/api/names.h"
#include "core/base/check.h"

namespace updraft::controller {
namespace {

uint64_t KernelRandom() {
  uint64_t value = 0;
  UPDRAFT_CHECK(getrandom(&value, sizeof value, 0) == static_cast<ssize_t>(sizeof value));
  return value;
}

http::Task<ApiResult<Answer>> Run(Call* call) {
  if (call->request.subresource == kEviction) return Evict(call);
  switch (call->request.verb) {
    case Verb::kGet:
      return Get(call);
    case Verb::kList:
      return List(call);
    case Verb::kCreate:
      return Create(call);
    case Verb::kUpdate:
      return Update(call);
    case Verb::kPatch:
      return Patch(call);
    case Verb::kDelete:
      return Delete(call);
    default:
      return DeleteCollection(call);
  }
}

http::Task<void> Serve(Call* call) {
  if (call->request.verb == Verb::kWatch) return ServeWatch(call);
  if (call->request.verb == Verb::kConnect) return ServeConnection(call);
  return ServeLogs(call);
}

// Reads what the request says of itself into `call`.
std::optional<ApiError> Interpret(const http::RequestHead& head, Call& call) {
  ApiResult<RequestOptions> options = ParseOptions(head.query());
  if (!options) return options.error();
  call.options = *std::move(options);
  ApiResult<ResourceRequest> request =
      ParseResourceRequest(head.method, head.path(), call.options.watch);
  if (!request) return request.error();
  call.request = *std::move(request);
  ApiResult<Format> format = ChooseFormat(head.headers.Get("Accept").value_or(""));
  if (!format) {
    // Logs are plain text, whatever is asked for, and connections are whatever they are upgraded
    // to.
    if (call.request.subresource == "log" || call.request.verb == Verb::kConnect)
      return std::nullopt;
    return format.error();
  }
  call.format = *std::move(format);
  return std::nullopt;
}

}  // namespace

ApiServer::ApiServer(Loop& loop, std::function<ObjectStore&(const api::Kind&)> stores,
                     LogSource& logs, ApiServerOptions options)
    : options_(std::move(options)),
      parts_{.loop = &loop,
             .clock = options_.clock,
             .logs = &logs,
             .sessions = options_.sessions,
             .stores = std::move(stores),
             .random = options_.random ? options_.random : KernelRandom,
             .user = options_.user,
             .evict = options_.evict},
      documents_(options_.release) {}

http::Task<Status> ApiServer::Prepare() {
  std::vector<Json> first;
  for (const std::string& name :
       std::vector<std::string>{"default", std::string(api::kSystemNamespace)}) {
    first.push_back({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}});
  }
  for (Json& map : api::ExampleConfigMaps()) first.push_back(std::move(map));
  for (Json& object : first) {
    http::Task<Status> ensuring = Ensure(std::move(object));
    const Status ensured = co_await ensuring;
    if (!ensured) co_return ensured.error();
  }
  co_return Ok();
}

http::Task<Status> ApiServer::Ensure(Json object) {
  const api::Kind& kind = *api::FindKind(api::ApiVersionOf(object), api::KindOf(object));
  ObjectKey key{.resource = kind.StoreResource(),
                .ns = api::NamespaceOf(object),
                .name = api::NameOf(object)};
  if (parts_.stores(kind).Get(key)) co_return Ok();
  const AdmissionContext context{.kind = &kind,
                                 .config = {},
                                 .user = parts_.user,
                                 .now = parts_.clock->Wall(),
                                 .manager = "updraft-controller"};
  const uint64_t high = parts_.random();
  const uint64_t low = parts_.random();
  ApiResult<Admitted> admitted =
      AdmitCreate(context, key.ns, {.value = std::move(object)}, api::MakeUid(high, low));
  UPDRAFT_CHECK(static_cast<bool>(admitted));
  http::Task<Result<Stored>> creating =
      parts_.stores(kind).Create(std::move(key), std::move(admitted->object));
  const Result<Stored> created = co_await creating;
  if (!created && created.error().code != Code::kAlreadyExists) co_return created.error();
  co_return Ok();
}

http::Task<void> ApiServer::Handle(http::Exchange& exchange) {
  if (IsResourcePath(exchange.request().path())) return HandleResource(&exchange);
  return HandleDocument(&exchange);
}

http::Task<void> ApiServer::HandleResource(http::Exchange* exchange) {
  const TimePoint started = parts_.loop->Now();
  Call call{.parts = &parts_, .exchange = exchange};
  std::optional<ApiError> error = Interpret(exchange->request(), call);
  if (error) {
    http::Task<void> responding = RespondError(&call, *std::move(error));
    co_await responding;
  } else if (call.request.verb == Verb::kWatch || call.request.verb == Verb::kConnect ||
             call.request.subresource == "log") {
    http::Task<void> serving = Serve(&call);
    co_await serving;
  } else {
    http::Task<ApiResult<Answer>> running = Run(&call);
    ApiResult<Answer> answer = co_await running;
    http::Task<void> responding = Respond(&call, std::move(answer));
    co_await responding;
  }
  Record(call, started);
}

http::Task<void> ApiServer::HandleDocument(http::Exchange* exchange) {
  const TimePoint started = parts_.loop->Now();
  Call call{.parts = &parts_, .exchange = exchange};
  Page page = PageFor(exchange->request());
  call.status = page.code;
  http::Headers headers;
  headers.Add("Content-Type", page.content_type);
  http::Task<Status> responding =
      exchange->Respond(page.code, std::move(headers), std::move(page.body));
  [[maybe_unused]] const Status responded = co_await responding;
  Record(call, started);
}

Page ApiServer::PageFor(const http::RequestHead& request) const {
  const auto refuse = [](const ApiError& error) {
    return Page{.code = error.code,
                .content_type = "application/json",
                .body = api::ToText(ToStatus(error)) + "\n"};
  };
  if (request.method != "GET" && request.method != "HEAD") return refuse(MethodNotAllowed());
  const std::string_view path = request.path();
  if (path == "/healthz" || path == "/livez")
    return {.code = 200, .content_type = "text/plain", .body = "ok"};
  if (path == "/readyz") {
    const Status ready = options_.ready ? options_.ready() : Ok();
    if (ready) return {.code = 200, .content_type = "text/plain", .body = "ok"};
    return {.code = 503, .content_type = "text/plain", .body = ready.error().message + "\n"};
  }
  std::optional<Page> page = documents_.Find(path, request.headers.Get("Accept").value_or(""));
  return page ? *std::move(page) : refuse(NoSuchPath());
}

void ApiServer::Record(const Call& call, TimePoint started) const {
  if (!options_.on_call) return;
  const bool resource = call.request.kind != nullptr;
  const std::string name = resource ? call.kind().QualifiedResource() : "";
  options_.on_call({.verb = resource ? VerbName(call.request.verb) : "",
                    .resource = name,
                    .code = call.status,
                    .took = parts_.loop->Now() - started});
}

}  // namespace updraft::controller

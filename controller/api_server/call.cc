#include "controller/api_server/call.h"

#include "controller/api_server/table.h"
#include "core/api/access.h"

namespace updraft::controller {
namespace {

// Longer lists go out in pieces, so that they are never held twice.
constexpr size_t kObjectsInOnePiece = 200;

// Warning: 299 - "text", as RFC 7234 has it.
std::string WarningHeader(const std::string& text) {
  std::string header = "299 - \"";
  for (char c : text) {
    if (c == '"' || c == '\\') header += '\\';
    header += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return header + "\"";
}

http::Headers HeadersOf(const Call& call, const std::vector<std::string>& warnings) {
  http::Headers headers;
  headers.Add("Content-Type", ContentType(call.format));
  headers.Add("Cache-Control", "no-cache, private");
  for (const std::string& warning : warnings) headers.Add("Warning", WarningHeader(warning));
  return headers;
}

Presentation PresentationOf(const Call& call) {
  return {.kind = &call.kind(),
          .format = call.format,
          .include_object = call.options.include_object,
          .now = call.parts->clock->Wall()};
}

Json MetadataOf(const Answer& list) {
  return ListMetadata(list.revision, list.continue_token, list.remaining);
}

http::Task<void> RespondText(Call* call, int code, http::Headers headers, std::string text) {
  call->status = code;
  http::Task<Status> responding =
      call->exchange->Respond(code, std::move(headers), std::move(text));
  // A client that is gone has nothing more to be told.
  [[maybe_unused]] const Status responded = co_await responding;
}

http::Task<void> StreamList(Call* call, Answer answer) {
  call->status = answer.code;
  http::Headers headers = HeadersOf(*call, answer.warnings);
  http::Task<Status> starting = call->exchange->StartResponse(answer.code, std::move(headers));
  const Status started = co_await starting;
  if (!started) co_return;
  const Json head = PresentList(PresentationOf(*call), {}, MetadataOf(answer));
  std::string text = "{\"kind\":" + api::ToText(head["kind"]) +
                     ",\"apiVersion\":" + api::ToText(head["apiVersion"]) +
                     ",\"metadata\":" + api::ToText(head["metadata"]) + ",\"items\":[";
  Json scratch;
  for (size_t i = 0; i < answer.objects.size(); ++i) {
    if (i > 0) text += ',';
    text += api::ToText(Shown(call->kind(), *answer.objects[i], scratch));
    if ((i + 1) % kObjectsInOnePiece != 0) continue;
    http::Task<Status> writing = call->exchange->Write(std::exchange(text, {}));
    const Status written = co_await writing;
    if (!written) co_return;
  }
  text += "]}\n";
  http::Task<Status> writing = call->exchange->Write(std::move(text));
  const Status ended = co_await writing;
  if (!ended) co_return;
  http::Task<Status> finishing = call->exchange->Finish();
  [[maybe_unused]] const Status finished = co_await finishing;
}

}  // namespace

std::string Call::ManagerName() const {
  if (!options.field_manager.empty()) return options.field_manager;
  const std::string_view agent = exchange->request().headers.Get("User-Agent").value_or("");
  std::string name(agent.substr(0, agent.find('/')).substr(0, kManagerBytesMax));
  std::erase_if(name, [](unsigned char c) { return c < 0x20 || c >= 0x7f; });
  return name.empty() ? "unknown" : name;
}

http::Task<ApiResult<api::Document>> ReadDocument(Call* call) {
  http::Task<Result<std::string>> reading = call->exchange->ReadBody(kBodyBytesMax);
  const Result<std::string> body = co_await reading;
  if (!body) {
    if (body.error().code == Code::kResourceExhausted) {
      co_return TooLarge("limit is " + std::to_string(kBodyBytesMax) + " bytes");
    }
    co_return BadRequest("the body could not be read: " + body.error().message);
  }
  const std::string type(call->exchange->request().headers.Get("Content-Type").value_or(""));
  co_return DecodeBody(type, *body);
}

http::Task<void> Respond(Call* call, ApiResult<Answer> answer) {
  if (!answer) {
    http::Task<void> responding = RespondError(call, answer.error());
    co_await responding;
    co_return;
  }
  const bool plain = call->format.shape == Format::Shape::kObject &&
                     call->format.encoding == Format::Encoding::kJson;
  if (answer->what == Answer::What::kList && plain && answer->objects.size() > kObjectsInOnePiece) {
    http::Task<void> streaming = StreamList(call, *std::move(answer));
    co_await streaming;
    co_return;
  }
  const Presentation how = PresentationOf(*call);
  Json document;
  if (answer->what == Answer::What::kDocument) {
    document = *answer->object;
  } else if (answer->what == Answer::What::kList) {
    document = PresentList(how, answer->objects, MetadataOf(*answer));
  } else {
    document = Present(how, *answer->object);
  }
  http::Headers headers = HeadersOf(*call, answer->warnings);
  std::string text = Encode(document, call->format, call->options.pretty);
  http::Task<void> responding =
      RespondText(call, answer->code, std::move(headers), std::move(text));
  co_await responding;
}

http::Task<void> RespondError(Call* call, ApiError error) {
  http::Headers headers = HeadersOf(*call, {});
  if (error.code == 503 || error.code == 504) headers.Add("Retry-After", "1");
  std::string text = Encode(ToStatus(error), call->format, call->options.pretty);
  http::Task<void> responding = RespondText(call, error.code, std::move(headers), std::move(text));
  co_await responding;
}

api::ServingConfig ReadServingConfig(const ServerParts& parts) {
  return parts.config_maps->Read(parts.stores(*api::FindKind("v1", "ConfigMap")));
}

}  // namespace updraft::controller

#include "core/http/exchange.h"

#include "core/http/bytes.h"

namespace updraft::http {
namespace {

ResponseHead SafeHead(int status, const Headers& headers) {
  ResponseHead head;
  head.status = status;
  for (const NamedHeader header : headers) head.headers.Add(header.name, SafeFieldValue(header.value));
  return head;
}

}  // namespace

Task<Result<std::string>> Exchange::ReadBody(size_t bytes_max) {
  std::string body;
  if (body_length().value_or(0) > bytes_max) {
    co_return Error{Code::kResourceExhausted,
                    "body longer than " + std::to_string(bytes_max) + " bytes"};
  }
  while (true) {
    const Result<std::string_view> piece = co_await ReadView();
    if (!piece) co_return piece.error();
    if (piece->empty()) co_return body;
    if (body.size() + piece->size() > bytes_max) {
      co_return Error{Code::kResourceExhausted,
                      "body longer than " + std::to_string(bytes_max) + " bytes"};
    }
    body.append(*piece);
  }
}

Task<Result<std::string>> Exchange::ReadSome() {
  const Result<std::string_view> piece = co_await ReadView();
  if (!piece) co_return piece.error();
  co_return std::string(*piece);
}

Task<Status> Exchange::Respond(int status, Headers headers, std::string body) {
  const ResponseHead head = SafeHead(status, headers);
  const Part part{&head, body, true, nullptr};
  co_return co_await Send(part);
}

Task<Status> Exchange::StartResponse(int status, Headers headers) {
  const ResponseHead head = SafeHead(status, headers);
  const Part part{&head, {}, false, nullptr};
  co_return co_await Send(part);
}

Task<Status> Exchange::Write(std::string data) {
  if (data.empty()) co_return Ok();
  const Part part{nullptr, data, false, nullptr};
  co_return co_await Send(part);
}

Task<Status> Exchange::Finish() {
  const Part part{nullptr, {}, true, nullptr};
  co_return co_await Send(part);
}

void Exchange::OnClientGone(std::function<void()> callback) {
  if (client_gone_) {
    callback();
  } else {
    on_client_gone_ = std::move(callback);
  }
}

void Exchange::ClientIsGone() {
  client_gone_ = true;
  if (const auto callback = std::exchange(on_client_gone_, nullptr)) callback();
}

}  // namespace updraft::http

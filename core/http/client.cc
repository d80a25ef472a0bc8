#include "core/http/client.h"

#include "core/http/bytes.h"
#include "core/http/client_connection.h"
#include "core/http/head_writer.h"

namespace updraft::http {
namespace {

std::string RequestText(const Request& request) {
  HeadBuffer buffer;
  HeadWriter out(buffer);
  out.Text(request.method);
  out.Literal(" ");
  out.Text(request.target);
  out.Literal(" HTTP/1.1\r\n");
  Headers headers;
  for (const NamedHeader header : request.headers)
    headers.Add(header.name, SafeFieldValue(header.value));
  if (!headers.Has("host"))
    headers.Add("Host", request.address.starts_with("unix:") ? "localhost" : request.address);
  const bool has_body =
      !request.body.empty() || request.method == "POST" || request.method == "PUT";
  if (has_body && !headers.Has("content-length"))
    headers.Add("Content-Length", std::to_string(request.body.size()));
  if (!headers.Has("connection")) headers.Add("Connection", "close");
  out.Fields(headers, [](const Header&) { return true; });
  out.Literal("\r\n");
  return std::string(out.written());
}

Task<Status> ReadWhole(ClientConnection& connection, size_t bytes_max, std::string& body) {
  while (true) {
    const Result<std::string_view> piece = co_await connection.ReadBody();
    if (!piece) co_return piece.error();
    if (piece->empty()) co_return Ok();
    if (body.size() + piece->size() > bytes_max)
      co_return Error{Code::kResourceExhausted, "response body too long"};
    body.append(*piece);
  }
}

}  // namespace

Task<Result<Response>> Fetch(Loop& loop, Request request) {
  const Result<SocketAddress> address = ParseAddress(request.address);
  if (!address) co_return address.error();
  const SocketAddress to = *address;
  Result<std::unique_ptr<ClientConnection>> opened =
      co_await ClientConnection::Open(loop, to, request.deadline);
  if (!opened) co_return opened.error();
  const std::unique_ptr<ClientConnection> connection = *std::move(opened);

  connection->Begin(request.method, BodyFraming::kLength, request.deadline);
  const std::string head_text = RequestText(request);
  const ClientExchange::Part part{head_text, {}, request.body, true, nullptr};
  const Status sent = co_await connection->Send(part);
  if (!sent && sent.error().code != Code::kUnavailable)
    co_return sent.error();  // the answer may be there already

  const ResponseHead& head = connection->head();
  do {
    const Status read = co_await connection->ReadHead();
    if (!read) co_return read.error();
  } while (head.status < 200 && head.status != 101);

  Response response;
  response.status = head.status;
  response.headers = head.headers;
  const Status read = co_await ReadWhole(*connection, request.body_bytes_max, response.body);
  if (!read) co_return read.error();
  co_return response;
}

}  // namespace updraft::http

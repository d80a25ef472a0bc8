// What clients may send on a connection, through the engine itself: HTTP/1.1 and HTTP/2.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "core/base/loop.h"
#include "core/http/bytes.h"
#include "core/http/server_connections.h"
#include "tests/fuzz/forwarded.h"

namespace updraft::fuzz {
namespace {

constexpr size_t kBodyBytesMax = 1 << 16;

// Answers with the request's own body and trailers.
http::Task<void> Echo(http::Exchange& exchange) {
  const http::RequestHead& request = exchange.request();
  const std::optional<uint64_t> length = exchange.body_length();
  UPDRAFT_CHECK(http::AllOf(request.method, http::kTokenByte) &&
                http::AllOf(request.target, http::kTargetByte));
  UPDRAFT_CHECK(request.host().empty() || http::IsAuthority(request.host()));
  // HTTP/2 states no length that is not also a field.
  http::BodyFraming framing = http::BodyFraming::kChunked;
  if (length)
    framing = request.headers.Has("content-length") ? http::BodyFraming::kLength
                                                    : http::BodyFraming::kNone;
  if (request.headers.Has("transfer-encoding")) framing = http::BodyFraming::kChunked;
  CheckForwarded(request, framing, exchange.upgrade_requested());
  const Result<std::string> body = co_await exchange.ReadBody(kBodyBytesMax);
  if (!body) co_return;
  for (const http::NamedHeader trailer : exchange.trailers()) {
    UPDRAFT_CHECK(http::AllOf(trailer.name, http::kTokenByte) &&
                  http::AllOf(trailer.value, http::kValueByte));
    UPDRAFT_CHECK(!http::NameIs(trailer.name, "host") &&
                  !http::NameIs(trailer.name, "content-length"));
  }
  http::ResponseHead head;
  const http::Headers trailers = exchange.trailers();
  const http::Part part{&head, *body, true, &trailers};
  (void)co_await exchange.Send(part);
}

// The client's end: takes what comes, until the server has closed.
class Client final : private FdObserver {
 public:
  Client(Loop& loop, UniqueFd socket) : loop_(loop), socket_(std::move(socket)) {
    loop_.Watch(socket_.get(), EPOLLIN, this);
  }
  ~Client() { loop_.Unwatch(socket_.get(), this); }

 private:
  void OnReady(uint32_t) override {
    char bytes[65536];
    if (recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT) <= 0) loop_.Stop();
  }

  Loop& loop_;
  UniqueFd socket_;
};

}  // namespace
}  // namespace updraft::fuzz

// The first byte says whether the rest is what comes behind the preface of HTTP/2.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] == '2')
    bytes.insert(0, std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33));
  int ends[2];
  UPDRAFT_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  UniqueFd near(ends[0]);
  if (write(near.get(), bytes.data(), bytes.size()) < 0) return 0;
  shutdown(near.get(), SHUT_WR);
  Loop loop;
  fuzz::Client client(loop, std::move(near));
  http::ServerConnections connections(loop, {}, fuzz::Echo);
  connections.Begin(UniqueFd(ends[1]), "192.0.2.1:1", {});
  loop.Run();
  return 0;
}

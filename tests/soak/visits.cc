#include "tests/soak/visits.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/unit/core/http/raw_client.h"
#include "tests/unit/core/http/raw_http2.h"
#include "tests/unit/core/http/tls_client.h"

namespace updraft::activator {
namespace {

using http::BodyOf;
using http::DataFrame;
using http::FieldList;
using http::HeadersFrame;
using http::kEndHeaders;
using http::RawClient;
using http::RawHttp2;
using http::Seen;

std::string Get(std::string_view host, std::string_view path, std::string_view more = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n" + std::string(more) + "\r\n";
}

// Says the first few times what came instead.
bool Good(bool good, std::string_view came) {
  static std::atomic<int> said = 0;
  if (!good && said++ < 20) std::printf("wrong: \"%.*s\"\n", static_cast<int>(std::min<size_t>(came.size(), 300)), came.data());
  return good;
}
bool IsOk(const std::string& response) {
  return Good(response.starts_with("HTTP/1.1 200 ") && BodyOf(response) == "ok", response);
}
bool Begins(const std::string& response, std::string_view status) {
  return Good(response.starts_with("HTTP/1.1 " + std::string(status)), response);
}

void Wait(const RawClient& client, int millis) {
  pollfd waiting{client.fd(), POLLIN, 0};
  poll(&waiting, 1, millis);
}

bool KeepAlive(Ground& ground, Random& random) {
  RawClient client(ground.ports().plain);
  bool good = true;
  for (auto left = 1 + random() % 20; left > 0; --left) {
    client.Send(Get("app.test", random() % 4 == 0 ? "/slow" : "/ok"));
    good &= IsOk(client.ReadResponse());
  }
  return good;
}

bool Pipelined(Ground& ground, Random& random) {
  RawClient client(ground.ports().plain);
  const auto count = 1 + random() % 50;
  std::string requests;
  for (size_t i = 0; i < count; ++i) requests += Get("app.test", "/ok");
  client.Send(requests);
  bool good = true;
  for (size_t i = 0; i < count; ++i) good &= IsOk(client.ReadResponse());
  return good;
}

// Held while there is no slot.
bool Queued(Ground& ground, Random& random) {
  std::vector<RawClient> clients;
  for (auto left = 1 + random() % 10; left > 0; --left) {
    clients.emplace_back(ground.ports().plain);
    clients.back().Send(Get("few.test", "/slow"));
  }
  if (random() % 3 == 0) clients.back().Reset();
  bool good = true;
  for (RawClient& client : clients) good &= client.fd() < 0 || IsOk(client.ReadResponse());
  return good;
}

// Held while there is no instance.
bool Cold(Ground& ground, Random& random) {
  RawClient client(ground.ports().plain);
  client.Send(Get("cold.test", "/ok"));
  if (random() % 4 != 0) return IsOk(client.ReadResponse());
  Wait(client, static_cast<int>(random() % 4));
  client.Reset();
  return true;
}

// Sent once and not again: what meets a connection that closes is told so.
bool Chunked(Ground& ground, Random& random) {
  RawClient client(ground.ports().plain);
  client.Send("POST /echo HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
  size_t bytes = 0;
  for (auto left = random() % 20; left > 0; --left) {
    const std::string piece(1 + random() % 5000, 'c');
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    client.Send(size + piece + "\r\n");
    bytes += piece.size();
  }
  client.Send("0\r\n\r\n");
  const std::string all = client.ReadAll();
  if (all.starts_with("HTTP/1.1 502 ")) return true;
  const auto echoed = static_cast<size_t>(std::ranges::count(BodyOf(all), 'c'));  // sizes of chunks may have some, too
  const bool in_chunks = all.find("Transfer-Encoding: chunked\r\n") != std::string::npos;
  const bool whole = in_chunks ? all.ends_with("0\r\n\r\n") && echoed >= bytes : echoed == bytes;
  return Good(all.starts_with("HTTP/1.1 200 ") && whole, all);
}

// A client that has only closed its side may still listen: nothing tells that from one that is gone, until it is written to.
bool Leaves(Ground& ground, Random& random) {
  RawClient client(ground.ports().plain);
  constexpr std::array<std::string_view, 4> kPaths = {"/never", "/slow", "/long", "/drop"};
  const size_t path = random() % kPaths.size();
  client.Send(Get("app.test", kPaths[path]));
  Wait(client, static_cast<int>(random() % 5));
  if (path == 0 || random() % 2 == 0) client.Reset();
  return true;
}

bool HalfAHead(Ground& ground, Random& random) {
  RawClient client(ground.ports().plain);
  client.Send("GET / HTTP/1.1\r\nHost: app.te");
  Wait(client, static_cast<int>(random() % 3));
  return true;
}

bool Malformed(Ground& ground, Random&) {
  RawClient client(ground.ports().plain);
  client.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n");
  return Begins(client.ReadAll(), "400 ");
}

bool Unrouted(Ground& ground, Random&) {
  RawClient client(ground.ports().plain);
  client.Send(Get("nobody.test", "/"));
  return Begins(client.ReadResponse(), "404 ");
}

bool Hasty(Ground& ground, Random&) {
  RawClient client(ground.ports().plain);
  client.Send(Get("hasty.test", "/never"));
  return Begins(client.ReadResponse(), "504 ");
}

bool Tunnel(Ground& ground, Random& random) {
  RawClient client(ground.ports().plain);
  client.Send(Get("app.test", "/tunnel", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  if (!Begins(client.ReadUntil("\r\n\r\n"), "101 ")) return false;
  bool good = true;
  for (auto left = random() % 10; left > 0; --left) {
    const std::string text(1 + random() % 3000, 't');
    client.Send(text);
    good &= client.ReadExactly(text.size()) == text;
  }
  if (random() % 3 == 0) {
    client.Reset();
    return good;
  }
  client.FinishWriting();
  return client.ReadAll().empty() && good;
}

bool Tls(Ground& ground, Random& random) {
  http::TlsClient client(ground.ports().tls,
                         {.server_name = "app.test", .version = random() % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION});
  bool good = client.connected();
  for (auto left = random() % 5; good && left > 0; --left) {
    client.Send(Get("app.test", "/ok"));
    good = IsOk(client.ReadResponse());
  }
  return good;
}

FieldList Ask(const char* host, const char* path) {
  return {{":method", "GET"}, {":scheme", "http"}, {":path", path}, {":authority", host}};
}

// Many streams, of which some are taken back.
bool Http2(Ground& ground, Random& random) {
  RawHttp2 client(ground.ports().plain);
  constexpr std::array<const char*, 3> kHosts = {"app.test", "few.test", "h2.test"};
  const auto count = static_cast<uint32_t>(1 + random() % 60);
  std::vector<bool> taken_back(count);
  std::vector<const char*> hosts(count);
  for (uint32_t i = 0; i < count; ++i) {
    hosts[i] = kHosts[random() % kHosts.size()];
    client.Send(HeadersFrame(2 * i + 1, Ask(hosts[i], random() % 4 == 0 ? "/slow" : "/ok")));
    taken_back[i] = random() % 5 == 0;
    if (taken_back[i])
      client.Send(http::Frame(NGHTTP2_RST_STREAM, 0, 2 * i + 1, http::Number(NGHTTP2_CANCEL, 4)));
  }
  if (random() % 5 == 0) {
    client.client().Reset();
    return true;
  }
  bool good = true;
  for (uint32_t i = 0; i < count && good; ++i) {
    if (taken_back[i]) continue;
    const bool ended = client.ReadStream(2 * i + 1);
    const Seen& seen = client.seen();
    const int status = seen.statuses.contains(2 * i + 1) ? seen.statuses.at(2 * i + 1) : 0;
    const std::string body = seen.bodies.contains(2 * i + 1) ? seen.bodies.at(2 * i + 1) : "";
    const std::string end = ended                    ? "ended"
                            : client.client().closed() ? "was cut" + std::string(client.client().was_reset() ? " by a reset" : "")
                                                       : "did not end";
    const std::string goaway = seen.goaway ? ", GOAWAY " + std::to_string(*seen.goaway) : "";
    good = Good(status == 200, "stream " + std::to_string(2 * i + 1) + " of " + std::to_string(count) + ", " + hosts[i] + ": " +
                                   end + goaway + ", " + std::to_string(status) + " " + body);
  }
  return good;
}

bool LikeGrpc(Ground& ground, Random& random) {
  RawHttp2 client(ground.ports().plain);
  FieldList fields = Ask("h2.test", "/trailers");
  fields[0].second = "POST";
  fields.emplace_back("te", "trailers");
  fields.emplace_back("content-type", "application/grpc");
  bool good = true;
  for (uint32_t i = 0; i < 1 + random() % 5; ++i) {
    client.Send(HeadersFrame(2 * i + 1, fields, kEndHeaders) + DataFrame(2 * i + 1, std::string(random() % 9000, 'g')));
    if (!client.ReadStream(2 * i + 1)) return false;
    const auto& got = client.seen().fields.at(2 * i + 1);
    good &= std::ranges::any_of(got, [](const auto& field) { return field.first == "grpc-status"; });
  }
  return good;
}

bool TunnelOverHttp2(Ground& ground, Random& random) {
  RawHttp2 client(ground.ports().plain);
  client.Send(HeadersFrame(1,
                           {{":method", "CONNECT"},
                            {":protocol", "websocket"},
                            {":scheme", "http"},
                            {":authority", "app.test"},
                            {":path", "/tunnel"},
                            {"sec-websocket-version", "13"}},
                           kEndHeaders));
  if (!client.ReadUntil([](const Seen& seen) { return seen.statuses.contains(1); })) return false;
  if (client.seen().statuses.at(1) != 200) return false;
  client.Send(DataFrame(1, "hello", 0));
  const bool heard = client.ReadUntil([](const Seen& seen) { return seen.bodies.contains(1) && seen.bodies.at(1) == "hello"; });
  if (random() % 2 == 0) return heard;  // and is gone
  client.Send(DataFrame(1, "", http::kEndStream));
  return client.ReadStream(1) && heard;
}

bool ReadsLittle(Ground& ground, Random& random) {
  RawClient client(ground.ports().plain);
  client.Send(Get("app.test", "/long"));
  return Begins(client.ReadExactly(20 + random() % 300'000), "200 ");
}

// The page of metrics.
bool Watches(Ground& ground, Random&) {
  RevisionPage page(RealClock(), ground.revisions());
  metrics::PageWriter writer;
  while (page.Next(writer)) {
  }
  const std::string& text = writer.text();
  return text.empty() || text.starts_with("# HELP ");
}

constexpr VisitKind kVisitKinds[] = {
    {"keep-alive", KeepAlive}, {"pipelined", Pipelined},
    {"queued", Queued},        {"cold", Cold},
    {"chunked", Chunked},      {"leaves", Leaves},
    {"half a head", HalfAHead}, {"malformed", Malformed},
    {"unrouted", Unrouted},    {"hasty", Hasty},
    {"tunnel", Tunnel},        {"tls", Tls},
    {"http/2", Http2},         {"like gRPC", LikeGrpc},
    {"tunnel over http/2", TunnelOverHttp2}, {"reads little", ReadsLittle},
    {"watches", Watches},
};

}  // namespace

std::span<const VisitKind> VisitKinds() { return kVisitKinds; }

}  // namespace updraft::activator

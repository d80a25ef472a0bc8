// What must never get through the activator: every vector of the engine's table, over a socket and
// cut in two at every place, in front of an instance that would answer anything.
#include <gtest/gtest.h>

#include <atomic>

#include "tests/integration/http/activator_fixture.h"
#include "tests/unit/core/http/head_vectors.h"
#include "tests/unit/core/http/raw_client.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::activator {
namespace {

using http::HeadVector;
using http::RawClient;

// Counts requests, and those that were smuggled behind another.
struct Seen {
  std::atomic<int> requests = 0;
  std::atomic<int> smuggled = 0;
};

http::Task<void> AnswerAnything(http::Exchange& exchange, Seen* seen) {
  ++seen->requests;
  if (exchange.request().path() == "/smuggled") ++seen->smuggled;
  (void)co_await exchange.ReadBody(1 << 20);
  (void)co_await exchange.Respond(200, http::Headers(), "ok");
}

class SmugglingTest : public testing::Test {
 protected:
  SmugglingTest()
      : backend_([this](http::Exchange& exchange) { return AnswerAnything(exchange, &seen_); }) {
    activator_.SetPorts({backend_.port()});
  }

  // The status of the first answer to `bytes`, sent in two pieces and followed by a request that
  // only a proxy and an instance that disagree would both see. `cut` 0: in one piece.
  int StatusOf(const std::string& bytes, size_t cut) {
    RawClient client(activator_.port());
    client.Send(bytes.substr(0, cut));
    client.Send(bytes.substr(cut));
    client.Send("GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n");
    client.FinishWriting();
    const std::string head = client.ReadUntil("\r\n\r\n");
    return head.starts_with("HTTP/1.1 ") ? std::stoi(head.substr(9, 3)) : 0;
  }

  Seen seen_;
  http::TestServer backend_;
  ActivatorFixture activator_{2, 0};
};

TEST_F(SmugglingTest, WhatIsRefusedIsNotSeenByAnybodyNorIsWhatFollows) {
  int refused = 0;
  for (const HeadVector& vector : http::HeadVectors()) {
    if (vector.status == 0) continue;
    ++refused;
    // Long ones are cut in a few places, short ones everywhere.
    const size_t step = std::max<size_t>(1, vector.bytes.size() / 100);
    for (size_t cut = 0; cut < vector.bytes.size(); cut += step) {
      ASSERT_EQ(StatusOf(vector.bytes, cut), vector.status) << vector.name << " cut at " << cut;
    }
  }
  EXPECT_GE(refused, 65);
  EXPECT_EQ(seen_.requests, 0);
}

// The body's end is the same for the activator and the instance: what follows is a request of its
// own.
TEST_F(SmugglingTest, WhatIsAcceptedEndsWhereItSaysItEnds) {
  const std::string app = "POST /first HTTP/1.1\r\nHost: app.test\r\n";
  const std::vector<std::string> requests = {
      app + "Content-Length: 0\r\n\r\n",
      app + "Content-Length: 44\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\nab",
      app +
          "Transfer-Encoding: chunked\r\n\r\n2c\r\nGET /smuggled HTTP/1.1\r\nHost: "
          "app.test\r\n\r\nab\r\n0\r\n\r\n",
      app + "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Smuggled: GET /smuggled HTTP/1.1\r\n\r\n",
      app +
          "Connection: Content-Length\r\nContent-Length: 44\r\n\r\n"
          "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\nab",
  };
  for (const std::string& request : requests) {
    for (size_t cut = 0; cut < request.size(); ++cut) {
      RawClient client(activator_.port());
      client.Send(request.substr(0, cut));
      client.Send(request.substr(cut) + "GET /last HTTP/1.1\r\nHost: app.test\r\n\r\n");
      ASSERT_TRUE(client.ReadResponse().ends_with("\r\n\r\nok")) << request << cut;
      ASSERT_TRUE(client.ReadResponse().ends_with("\r\n\r\nok")) << request << cut;
    }
  }
  EXPECT_EQ(seen_.smuggled, 0);
}

TEST_F(SmugglingTest, BrokenChunksEndTheConnection) {
  for (const char* chunks :
       {"zz\r\n", "3\r\nabcd\r\n", "-1\r\n", "3\nabc\r\n", "0\r\nContent-Length: 3\r\n\r\n"}) {
    RawClient client(activator_.port());
    client.Send("POST /first HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
                std::string(chunks) + "GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n");
    client.FinishWriting();
    const std::string all = client.ReadAll();
    EXPECT_TRUE(all.starts_with("HTTP/1.1 400 ")) << chunks << ": " << all;
    EXPECT_EQ(all.find("HTTP/1.1", 1), std::string::npos) << all;
  }
  EXPECT_EQ(seen_.smuggled, 0);
}

}  // namespace
}  // namespace updraft::activator

#include "core/metrics/exposition.h"

#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <cstdio>

#include "tests/unit/core/http/raw_client.h"
#include "tests/unit/core/http/test_server.h"
#include "tests/unit/core/metrics/gunzip.h"

namespace updraft::metrics {
namespace {

// What `promtool check metrics` says about a page.
std::string Lint(const std::string& page) {
  const std::string path = testing::TempDir() + "updraft-metrics-page";
  FILE* file = std::fopen(path.c_str(), "w");
  std::fwrite(page.data(), 1, page.size(), file);
  std::fclose(file);
  FILE* tool = popen(("promtool check metrics <" + path + " 2>&1").c_str(), "r");
  std::string said;
  char line[512];
  while (std::fgets(line, sizeof line, tool) != nullptr) said += line;
  const int status = pclose(tool);
  unlink(path.c_str());
  return status == 0 ? said : said + "status " + std::to_string(status);
}

TEST(ExpositionTest, PassesPrometheusLint) {
  Exposition exposition("tested");
  prometheus::BuildCounter()
      .Name("updraft_test_events_total")
      .Help("Events of this test.")
      .Register(exposition.registry())
      .Add({{"kind", "quote\" and \\ and\nline"}})
      .Increment();
  prometheus::BuildHistogram()
      .Name("updraft_test_duration_seconds")
      .Help("Durations of this test.")
      .Register(exposition.registry())
      .Add({}, prometheus::Histogram::BucketBoundaries{0.1, 1})
      .Observe(0.5);
  EXPECT_EQ(Lint(exposition.Render()), "");
}

TEST(ExpositionTest, TellsAboutTheProcess) {
  const Exposition exposition("tested");
  const std::string page = exposition.Render();
  for (const char* series :
       {"process_resident_memory_bytes ", "process_open_fds ", "process_cpu_seconds_total ",
        "process_start_time_seconds ", "updraft_build_info{"}) {
    EXPECT_NE(page.find(std::string("\n") + series), std::string::npos) << series;
  }
  EXPECT_NE(page.find("component=\"tested\""), std::string::npos);
}

// Writes `pieces` lines, one a call, and counts the turns of the loop between them.
class Slow final : public PagePart {
 public:
  Slow(Loop& loop, int pieces, int* turns_missed)
      : loop_(loop), pieces_(pieces), turns_missed_(turns_missed) {}
  bool Next(PageWriter& page) override {
    if (!*turned_) ++*turns_missed_;
    *turned_ = false;
    loop_.Post([turned = turned_] { *turned = true; });
    page.text() += "piece " + std::to_string(pieces_) + "\n";
    return --pieces_ > 0;
  }

 private:
  Loop& loop_;
  int pieces_;
  int* turns_missed_;
  std::shared_ptr<bool> turned_ = std::make_shared<bool>(true);
};

TEST(OperationsTest, APageOfManyPiecesLetsTheLoopTurnBetweenThem) {
  Exposition exposition("tested");
  int turns_missed = 0;
  Loop* loop = nullptr;
  exposition.AddPart([&] { return std::make_unique<Slow>(*loop, 30, &turns_missed); });
  http::TestServer server(OperationsHandler(exposition, [] { return Ok(); }));
  loop = &server.loop();
  http::RawClient client(server.port());
  client.Send("GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string page = client.ReadAll();
  const size_t first = page.find("piece 30\n");
  const size_t last = page.find("piece 1\n");
  EXPECT_LT(first, page.find("piece 29\n"));
  EXPECT_LT(page.find("process_open_fds"), first);
  EXPECT_NE(last, std::string::npos);
  EXPECT_TRUE(page.ends_with("0\r\n\r\n"));
  EXPECT_LE(turns_missed, 1) << "the first two may come in one";
  EXPECT_EQ(exposition.BeginParts().size(), 1u);
}

// Two lines, the second compressed if the page is.
class Short final : public PagePart {
 public:
  bool Next(PageWriter& page) override {
    page.text() += "stored\n";
    if (page.gzip()) {
      page.Append(Compressor().Compress("compressed\n"));
    } else {
      page.text() += "plain\n";
    }
    return false;
  }
};

TEST(OperationsTest, CompressesAPageOfPartsForThoseWhoAcceptGzip) {
  Exposition exposition("tested");
  exposition.AddPart([] { return std::make_unique<Short>(); });
  http::TestServer server(OperationsHandler(exposition, [] { return Ok(); }));
  struct Case {
    const char* accepts;
    bool gzip;
  };
  for (const Case& c : {Case{"", false},
                        {"Accept-Encoding: gzip\r\n", true},
                        {"Accept-Encoding: deflate, GZIP;q=0.5 , br\r\n", true},
                        {"Accept-Encoding: br\r\nAccept-Encoding: x-gzip\r\n", true},
                        {"Accept-Encoding: *\r\n", true},
                        {"Accept-Encoding: *;q=0.001, br;q=0\r\n", true},
                        {"Accept-Encoding: identity\r\n", false},
                        {"Accept-Encoding: gzip;q=0\r\n", false},
                        {"Accept-Encoding: gzip; Q=0.000, *\r\n", false},
                        {"Accept-Encoding: *;q=0\r\n", false},
                        {"Accept-Encoding: \r\n", false},
                        {"Accept-Encoding: ,;q=1,gzipped\r\n", false}}) {
    for (const std::string method : {"GET", "HEAD"}) {
      http::RawClient client(server.port());
      client.Send(method + " /metrics HTTP/1.0\r\n" + c.accepts + "\r\n");
      const std::string response = client.ReadAll();
      EXPECT_TRUE(response.find(" 200 OK\r\n") != std::string::npos) << response;
      EXPECT_EQ(response.find("\r\nContent-Encoding: gzip\r\n") != std::string::npos, c.gzip) << c.accepts;
      EXPECT_NE(response.find("\r\nVary: Accept-Encoding\r\n"), std::string::npos);
      const std::string body = response.substr(response.find("\r\n\r\n") + 4);
      if (method == "HEAD") {
        EXPECT_EQ(body, "");
        continue;
      }
      const std::string page = c.gzip ? Gunzip(body).value_or("not gzip") : body;
      EXPECT_NE(page.find("process_open_fds"), std::string::npos) << page;
      EXPECT_TRUE(page.ends_with(c.gzip ? "\nstored\ncompressed\n" : "\nstored\nplain\n")) << page;
    }
  }
}

TEST(OperationsTest, ServesItsThreePages) {
  Exposition exposition("tested");
  std::atomic<bool> ready = false;
  const auto readiness = [&ready]() -> Status {
    if (ready) return Ok();
    return Error{Code::kUnavailable, "not connected yet"};
  };
  http::TestServer server(OperationsHandler(exposition, readiness));
  http::RawClient client(server.port());
  const auto get = [&client](const std::string& path) {
    client.Send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    return client.ReadResponse();
  };
  EXPECT_NE(get("/metrics").find("Content-Type: text/plain; version=0.0.4"), std::string::npos);
  EXPECT_TRUE(get("/healthz").starts_with("HTTP/1.1 200 "));
  const std::string unready = get("/readyz");
  EXPECT_TRUE(unready.starts_with("HTTP/1.1 503 ")) << unready;
  EXPECT_EQ(http::BodyOf(unready), "not connected yet\n");
  ready = true;
  EXPECT_TRUE(get("/readyz").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(get("/other").starts_with("HTTP/1.1 404 "));
  client.Send("POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 405 "));
}

}  // namespace
}  // namespace updraft::metrics

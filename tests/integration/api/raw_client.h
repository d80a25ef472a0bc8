// A client that shows what is on the wire: plain requests, and watches event by event.
#pragma once

#include <initializer_list>
#include <string>

#include "core/api/json.h"
#include "core/http/client.h"
#include "tests/integration/api/api_platform.h"

namespace updraft::controller {

struct Reply {
  int status = 0;
  http::Headers headers = {};
  std::string body = {};

  // Null when the body is no JSON.
  Json json() const { return Json::parse(body, nullptr, false); }
};

Reply Send(ApiPlatform& platform, const std::string& method, const std::string& target,
           const std::string& body = {}, std::initializer_list<http::Header> headers = {});

// An open watch. Reads block for at most ten seconds.
class WatchClient {
 public:
  WatchClient(uint16_t port, const std::string& target,
              const std::string& accept = "application/json");
  ~WatchClient();
  WatchClient(const WatchClient&) = delete;
  WatchClient& operator=(const WatchClient&) = delete;

  // The next event; null when the stream has ended or nothing comes.
  Json Next();
  int status() const { return status_; }

 private:
  bool Fill();

  int fd_ = -1;
  int status_ = 0;
  bool ended_ = false;
  std::string raw_;   // as received
  std::string text_;  // without chunk framing
};

}  // namespace updraft::controller

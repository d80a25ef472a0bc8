// A client and an instance that the test plays byte by byte, and the activator's workers between
// them.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "tests/integration/http/activator_fixture.h"
#include "tests/unit/core/http/raw_backend.h"
#include "tests/unit/core/http/raw_client.h"

namespace updraft::activator {

using http::BodyOf;
using http::RawBackend;
using http::RawClient;

inline constexpr const char* kGet = "GET /x HTTP/1.1\r\nHost: app.test\r\n\r\n";
inline constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class Wire {
 public:
  explicit Wire(RevisionSettings settings = {}, const WorkerPoolOptions& options = Workers(2))
      : activator_(options, std::move(settings)), client_(activator_.port()) {
    activator_.SetPorts({backend_.port()});
  }

  ActivatorFixture& activator() { return activator_; }
  RawBackend& backend() { return backend_; }
  RawClient& client() { return client_; }
  RawClient NewClient() const { return RawClient(activator_.port()); }

  // The client sends, and the instance takes it on a connection that is new, up to the end of the
  // request's head.
  RawClient Take(const std::string& request, std::string* head = nullptr) {
    client_.Send(request);
    RawClient instance = backend_.Accept();
    std::string taken = instance.ReadUntil("\r\n\r\n");
    if (head != nullptr) *head = std::move(taken);
    return instance;
  }
  // All that the client gets for `response`, the instance closing behind it and the client having
  // closed its side.
  std::string Through(const std::string& request, const std::string& response) {
    RawClient instance = Take(request);
    instance.Send(response);
    instance.Close();
    client_.FinishWriting();
    return client_.ReadAll();
  }
  // No slot is taken.
  void WaitUntilIdle() {
    while (activator_.in_flight(backend_.port()) != 0) poll(nullptr, 0, 1);
  }

 private:
  RawBackend backend_;
  ActivatorFixture activator_;
  RawClient client_;
};

inline bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace updraft::activator

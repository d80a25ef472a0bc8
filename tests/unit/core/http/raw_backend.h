// A server played by the test itself: accepts, reads and writes bytes as they are.
#pragma once

#include "core/http/acceptor.h"
#include "tests/unit/core/http/raw_client.h"

namespace updraft::http {

class RawBackend {
 public:
  RawBackend() : listener_(*BindListener(*ParseAddress("127.0.0.1:0"), PortSharing::kExclusive)) {}
  uint16_t port() const { return BoundPort(listener_.get()); }
  // The next connection; not connected() when none comes within ten seconds.
  RawClient Accept() {
    pollfd waiting{listener_.get(), POLLIN, 0};
    if (poll(&waiting, 1, 10'000) != 1) return RawClient(UniqueFd());
    return RawClient(UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
  bool HasConnection() {
    pollfd waiting{listener_.get(), POLLIN, 0};
    return poll(&waiting, 1, 0) == 1;
  }

 private:
  UniqueFd listener_;
};

}  // namespace updraft::http

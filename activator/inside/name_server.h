// Answers the instances' questions for names (dns_answer.h), over UDP.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "activator/inside/dns_answer.h"
#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace updraft::activator {

// Loop thread only.
class NameServer final : private FdObserver {
 public:
  // At "10.89.0.1:53". Its services are at that address, too. `knows` as DnsZone's. kInvalidArgument:
  // not an address of IPv4; kUnavailable: it cannot be bound. `loop` must outlive it.
  static Result<std::unique_ptr<NameServer>> Listen(Loop& loop, const std::string& address,
                                                    std::function<bool(std::string_view)> knows);
  ~NameServer();

 private:
  NameServer(Loop& loop, UniqueFd socket, DnsZone zone);
  void OnReady(uint32_t events) override;

  Loop& loop_;
  const UniqueFd socket_;
  const DnsZone zone_;
};

}  // namespace updraft::activator

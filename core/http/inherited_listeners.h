// Listening sockets that this process did not open itself: it was given them by the process that
// served before it, or by systemd. Connections that wait in them are lost to nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/unique_fd.h"
#include "core/http/address.h"

namespace updraft::http {

// Not safe for concurrent use.
class InheritedListeners {
 public:
  // Closes what is no listening socket.
  void Add(UniqueFd socket);
  // Those that systemd passes on (LISTEN_PID, LISTEN_FDS). Once, before threads are started.
  void AddFromSystemd();

  bool empty() const { return sockets_.empty(); }
  size_t size() const { return sockets_.size(); }

  // What the server with number `index` of `servers` is to accept from at `address`: every socket
  // is somebody's, whatever its number was before; when there are fewer than servers, some share
  // one. Empty: none was given for the address.
  std::vector<UniqueFd> For(const SocketAddress& address, uint32_t index, uint32_t servers) const;

  // When all have what is theirs.
  void Clear() { sockets_.clear(); }

 private:
  struct Inherited {
    UniqueFd socket;
    SocketAddress address;
  };
  std::vector<Inherited> sockets_;
};

}  // namespace updraft::http

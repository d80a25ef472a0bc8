#include "activator/handover/socket_passing.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace updraft::activator {
namespace {

constexpr size_t kSocketsPerMessage = 128;  // the kernel takes 253
constexpr size_t kSocketsMax = 4096;

// In front of each batch.
struct Announcement {
  uint32_t generation = 0;
  uint32_t left = 0;  // this batch included
};

struct Message {
  Announcement announcement;
  iovec text = {&announcement, sizeof announcement};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kSocketsPerMessage)> control{};
  msghdr header = {};

  Message() {
    header.msg_iov = &text;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
};

Error PassingError(const char* doing) {
  return {Code::kUnavailable, std::string(doing) + ": " + std::generic_category().message(errno)};
}

}  // namespace

Status SendSockets(int connection, uint32_t generation, std::span<const int> sockets) {
  do {
    const std::span<const int> batch = sockets.first(std::min(sockets.size(), kSocketsPerMessage));
    Message message;
    message.announcement = {generation, static_cast<uint32_t>(sockets.size())};
    message.header.msg_controllen = batch.empty() ? 0 : CMSG_SPACE(batch.size_bytes());
    if (!batch.empty()) {
      cmsghdr* rights = CMSG_FIRSTHDR(&message.header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(batch.size_bytes());
      std::memcpy(CMSG_DATA(rights), batch.data(), batch.size_bytes());
    }
    if (sendmsg(connection, &message.header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
      return PassingError("pass sockets on");
    sockets = sockets.subspan(batch.size());
  } while (!sockets.empty());
  return Ok();
}

Result<PassedSockets> ReceiveSockets(int connection) {
  PassedSockets passed;
  while (true) {
    Message message;
    const ssize_t size = recvmsg(connection, &message.header, MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return PassingError("take sockets over");
    const size_t before = passed.sockets.size();
    for (cmsghdr* part = CMSG_FIRSTHDR(&message.header); part != nullptr;
         part = CMSG_NXTHDR(&message.header, part)) {
      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
      std::array<int, kSocketsPerMessage> batch{};
      const size_t bytes = std::min(part->cmsg_len - CMSG_LEN(0), sizeof batch);
      std::memcpy(batch.data(), CMSG_DATA(part), bytes);
      for (size_t i = 0; i < bytes / sizeof(int); ++i) passed.sockets.emplace_back(batch[i]);
    }
    if (size != sizeof(Announcement))
      return Error{Code::kUnavailable, "take sockets over: the other side has gone"};
    passed.generation = message.announcement.generation;
    const size_t came = passed.sockets.size() - before;
    if (message.announcement.left <= came) return passed;
    if (came == 0 || passed.sockets.size() > kSocketsMax) {
      return Error{Code::kUnavailable, "take sockets over: not all came"};
    }
  }
}

}  // namespace updraft::activator

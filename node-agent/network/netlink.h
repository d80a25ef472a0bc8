// rtnetlink: messages and the socket that they go through.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace updraft::node_agent {

// Builds one message: header, the family's fixed part, attributes.
class NetlinkMessage {
 public:
  // `flags` beside NLM_F_REQUEST.
  NetlinkMessage(uint16_t type, uint16_t flags);

  // A plain struct: ifinfomsg, ifaddrmsg, ...
  template <typename T>
  NetlinkMessage& Fixed(const T& part) {
    return Raw(&part, sizeof(part));
  }

  NetlinkMessage& Bytes(int attribute, const void* data, size_t size);
  NetlinkMessage& Text(int attribute, std::string_view text);  // with the zero at the end
  template <typename T>
  NetlinkMessage& Value(int attribute, const T& value) {
    return Bytes(attribute, &value, sizeof(value));
  }

  // Attributes between the two are inside `attribute`.
  NetlinkMessage& Begin(int attribute);
  NetlinkMessage& End();

  const std::vector<char>& bytes() const { return bytes_; }

 private:
  friend class NetlinkSocket;
  NetlinkMessage& Raw(const void* data, size_t size);

  std::vector<char> bytes_;
  std::vector<size_t> open_;  // where the attributes that are not ended yet begin
};

// Belongs to the network namespace of the thread that opened it, for ever. One thread at a time.
class NetlinkSocket {
 public:
  static Result<NetlinkSocket> Open();
  NetlinkSocket(NetlinkSocket&&) = default;
  NetlinkSocket& operator=(NetlinkSocket&&) = default;

  // The kernel's answer to one message: Ok or errno in words. `doing` begins the error's text.
  Status Do(const std::string& doing, NetlinkMessage message);

  // Sends all at once and waits for all answers: errno of each, 0 for success.
  Result<std::vector<int>> DoAll(std::vector<NetlinkMessage> messages);

  // Asks, and hands over each answer until the end. Without NLM_F_DUMP there is one answer.
  using OnAnswer = std::function<void(const nlmsghdr& header)>;
  Status Ask(const std::string& doing, NetlinkMessage message, const OnAnswer& on_answer);

 private:
  explicit NetlinkSocket(UniqueFd fd) : fd_(std::move(fd)), buffer_(64 << 10) {}

  Status Send(const std::vector<char>& bytes);
  Result<size_t> Receive();

  UniqueFd fd_;
  uint32_t sequence_ = 0;
  std::vector<char> buffer_;
};

// The attributes of an answer behind its fixed part of `fixed_bytes`, by type; later ones win. They
// point into the answer.
std::vector<const rtattr*> AttributesOf(const nlmsghdr& header, size_t fixed_bytes, int type_max);

// kNotFound, kAlreadyExists, kPermissionDenied or kInternal.
Error ErrnoError(const std::string& doing, int number);

}  // namespace updraft::node_agent

#include "node-agent/network/netlink.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/base/check.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kBatchMax = 64;  // so that the answers fit the socket's buffer
constexpr int kReceiveBufferBytes = 1 << 20;

}  // namespace

Error ErrnoError(const std::string& doing, int number) {
  Code code = Code::kInternal;
  if (number == EEXIST) code = Code::kAlreadyExists;
  if (number == ENODEV || number == ENOENT || number == ESRCH) code = Code::kNotFound;
  if (number == EPERM || number == EACCES) code = Code::kPermissionDenied;
  return {code, doing + ": " + std::generic_category().message(number)};
}

NetlinkMessage::NetlinkMessage(uint16_t type, uint16_t flags) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  Raw(&header, sizeof(header));
}

NetlinkMessage& NetlinkMessage::Raw(const void* data, size_t size) {
  const auto* begin = static_cast<const char*>(data);
  bytes_.insert(bytes_.end(), begin, begin + size);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  return *this;
}

NetlinkMessage& NetlinkMessage::Bytes(int attribute, const void* data, size_t size) {
  rtattr head{};
  head.rta_type = static_cast<uint16_t>(attribute);
  head.rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
  Raw(&head, sizeof(head));
  return Raw(data, size);
}

NetlinkMessage& NetlinkMessage::Text(int attribute, std::string_view text) {
  const std::string with_end(text);
  return Bytes(attribute, with_end.c_str(), with_end.size() + 1);
}

NetlinkMessage& NetlinkMessage::Begin(int attribute) {
  open_.push_back(bytes_.size());
  return Bytes(attribute, nullptr, 0);
}

NetlinkMessage& NetlinkMessage::End() {
  UPDRAFT_CHECK(!open_.empty());
  const size_t begin = open_.back();
  open_.pop_back();
  const auto length = static_cast<uint16_t>(bytes_.size() - begin);
  std::memcpy(bytes_.data() + begin + offsetof(rtattr, rta_len), &length, sizeof(length));
  return *this;
}

Result<NetlinkSocket> NetlinkSocket::Open() {
  UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (!fd || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return ErrnoError("open a netlink socket", errno);
  }
  const int on = 1;
  // Answers then do not carry the request, which makes batches small. Not fatal where unknown.
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferBytes,
             sizeof(kReceiveBufferBytes));
  return NetlinkSocket(std::move(fd));
}

Status NetlinkSocket::Send(const std::vector<char>& bytes) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const ssize_t sent = sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                              reinterpret_cast<sockaddr*>(&kernel), sizeof(kernel));
  if (sent == static_cast<ssize_t>(bytes.size())) return Ok();
  return ErrnoError("send to netlink", errno);
}

Result<size_t> NetlinkSocket::Receive() {
  while (true) {
    const ssize_t size = recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
    if (size > 0) return static_cast<size_t>(size);
    if (errno != EINTR) return ErrnoError("receive from netlink", errno);
  }
}

Status NetlinkSocket::Do(const std::string& doing, NetlinkMessage message) {
  std::vector<NetlinkMessage> one;
  one.push_back(std::move(message));
  const auto answers = DoAll(std::move(one));
  if (!answers) return Context(doing, answers.error());
  if (answers->front() != 0) return ErrnoError(doing, answers->front());
  return Ok();
}

Result<std::vector<int>> NetlinkSocket::DoAll(std::vector<NetlinkMessage> messages) {
  std::vector<int> answers(messages.size(), -1);
  for (size_t begin = 0; begin < messages.size(); begin += kBatchMax) {
    const size_t end = std::min(begin + kBatchMax, messages.size());
    const uint32_t first = sequence_ + 1;
    std::vector<char> batch;
    for (size_t i = begin; i < end; ++i) {
      std::vector<char>& bytes = messages[i].bytes_;
      auto* header = reinterpret_cast<nlmsghdr*>(bytes.data());
      header->nlmsg_len = static_cast<uint32_t>(bytes.size());
      header->nlmsg_flags = static_cast<uint16_t>(header->nlmsg_flags | NLM_F_ACK);
      header->nlmsg_seq = ++sequence_;
      batch.insert(batch.end(), bytes.begin(), bytes.end());
    }
    if (Status sent = Send(batch); !sent) return sent.error();
    for (size_t missing = end - begin; missing > 0;) {
      const auto size = Receive();
      if (!size) return size.error();
      auto left = static_cast<uint32_t>(*size);
      for (auto* header = reinterpret_cast<const nlmsghdr*>(buffer_.data()); NLMSG_OK(header, left);
           header = NLMSG_NEXT(header, left)) {
        const size_t index = begin + (header->nlmsg_seq - first);
        if (header->nlmsg_type != NLMSG_ERROR || index >= end || answers[index] != -1) continue;
        answers[index] = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
        --missing;
      }
    }
  }
  return answers;
}

Status NetlinkSocket::Ask(const std::string& doing, NetlinkMessage message,
                          const OnAnswer& on_answer) {
  auto* request = reinterpret_cast<nlmsghdr*>(message.bytes_.data());
  request->nlmsg_len = static_cast<uint32_t>(message.bytes_.size());
  request->nlmsg_seq = ++sequence_;
  const bool dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  if (Status sent = Send(message.bytes_); !sent) return Context(doing, sent.error());
  while (true) {
    const auto size = Receive();
    if (!size) return Context(doing, size.error());
    auto left = static_cast<uint32_t>(*size);
    for (auto* header = reinterpret_cast<const nlmsghdr*>(buffer_.data()); NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_seq != sequence_) continue;
      if (header->nlmsg_type == NLMSG_DONE) return Ok();
      if (header->nlmsg_type == NLMSG_ERROR) {
        const int error = -static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
        if (error != 0) return ErrnoError(doing, error);
        return Ok();
      }
      on_answer(*header);
      if (!dump) return Ok();
    }
  }
}

std::vector<const rtattr*> AttributesOf(const nlmsghdr& header, size_t fixed_bytes, int type_max) {
  std::vector<const rtattr*> attributes(static_cast<size_t>(type_max) + 1, nullptr);
  const auto* begin = static_cast<const char*>(NLMSG_DATA(&header)) + NLMSG_ALIGN(fixed_bytes);
  auto left = static_cast<uint32_t>(header.nlmsg_len - NLMSG_LENGTH(fixed_bytes));
  for (auto* attribute = reinterpret_cast<const rtattr*>(begin); RTA_OK(attribute, left);
       attribute = RTA_NEXT(attribute, left)) {
    const int type = attribute->rta_type & NLA_TYPE_MASK;
    if (type <= type_max) attributes[static_cast<size_t>(type)] = attribute;
  }
  return attributes;
}

}  // namespace updraft::node_agent

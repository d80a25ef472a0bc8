#include "node-agent/network/ipv4.h"

#include <arpa/inet.h>

#include <charconv>

namespace updraft::node_agent {
namespace {

constexpr int kPrefixBitsMin = 8;
constexpr int kPrefixBitsMax = 29;
constexpr size_t kFirstAddress = 2;  // after the network's and the gateway's

}  // namespace

std::string ToString(Ipv4 address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += std::to_string((address.value >> shift) & 255);
    if (shift > 0) text += '.';
  }
  return text;
}

std::optional<Ipv4> ParseIpv4(std::string_view text) {
  in_addr parsed{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1) return std::nullopt;
  return Ipv4{ntohl(parsed.s_addr)};
}

uint32_t WireOrder(Ipv4 address) { return htonl(address.value); }

std::string ToString(const Subnet& subnet) {
  return ToString(subnet.network) + "/" + std::to_string(subnet.prefix_bits);
}

Result<Subnet> ParseSubnet(std::string_view text) {
  const auto invalid = [text](const std::string& why) {
    return Error{Code::kInvalidArgument, "subnet \"" + std::string(text) + "\": " + why};
  };
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return invalid("ADDRESS/BITS is expected");
  const auto address = ParseIpv4(text.substr(0, slash));
  if (!address.has_value()) return invalid("not an IPv4 address");
  const std::string_view bits = text.substr(slash + 1);
  Subnet subnet{.network = *address, .prefix_bits = 0};
  const auto parsed = std::from_chars(bits.data(), bits.data() + bits.size(), subnet.prefix_bits);
  if (parsed.ec != std::errc() || parsed.ptr != bits.data() + bits.size() ||
      subnet.prefix_bits < kPrefixBitsMin || subnet.prefix_bits > kPrefixBitsMax) {
    return invalid("the prefix must have 8 to 29 bits");
  }
  if (!subnet.Contains(subnet.network)) {
    return invalid("the address has bits beyond the prefix");
  }
  return subnet;
}

MacAddress MacFor(Ipv4 address) {
  // 0a:58 is locally administered, and what CNI's bridges use for the same purpose.
  return {0x0a,
          0x58,
          static_cast<uint8_t>(address.value >> 24),
          static_cast<uint8_t>(address.value >> 16),
          static_cast<uint8_t>(address.value >> 8),
          static_cast<uint8_t>(address.value)};
}

AddressPool::AddressPool(const Subnet& subnet)
    : subnet_(subnet), taken_(subnet.Broadcast().value - subnet.network.value) {
  free_ = taken_.size() - kFirstAddress;
}

Result<Ipv4> AddressPool::Take() {
  if (free_ == 0) {
    return Error{Code::kResourceExhausted, "all addresses of " + ToString(subnet_) + " are in use"};
  }
  while (taken_[next_]) next_ = next_ + 1 < taken_.size() ? next_ + 1 : kFirstAddress;
  const Ipv4 address{subnet_.network.value + static_cast<uint32_t>(next_)};
  Mark(address);
  next_ = next_ + 1 < taken_.size() ? next_ + 1 : kFirstAddress;
  return address;
}

bool AddressPool::Mark(Ipv4 address) {
  if (!subnet_.Contains(address)) return false;
  const size_t index = address.value - subnet_.network.value;
  if (index < kFirstAddress || index >= taken_.size() || taken_[index]) return false;
  taken_[index] = true;
  --free_;
  return true;
}

void AddressPool::Free(Ipv4 address) {
  const size_t index = address.value - subnet_.network.value;
  if (!subnet_.Contains(address) || index >= taken_.size() || !taken_[index]) return;
  taken_[index] = false;
  ++free_;
}

}  // namespace updraft::node_agent

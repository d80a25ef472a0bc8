// IPv4 addresses and subnets, and which addresses of a subnet are free.
//
// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace updraft::node_agent {

// In host byte order. A type of its own, so that it is not mistaken for a number.
struct Ipv4 {
  uint32_t value = 0;
  auto operator<=>(const Ipv4&) const = default;
};

std::string ToString(Ipv4 address);
std::optional<Ipv4> ParseIpv4(std::string_view text);

// The address in the byte order of the wire.
uint32_t WireOrder(Ipv4 address);

struct Subnet {
  Ipv4 network;
  int prefix_bits = 0;

  Ipv4 Gateway() const { return {network.value + 1}; }
  Ipv4 Broadcast() const { return {network.value | ~Mask()}; }
  uint32_t Mask() const { return prefix_bits == 0 ? 0 : ~uint32_t{0} << (32 - prefix_bits); }
  bool Contains(Ipv4 address) const { return (address.value & Mask()) == network.value; }
};

std::string ToString(const Subnet& subnet);

// "10.89.0.0/16"; prefixes of 8 to 29 bits. kInvalidArgument with the reason.
Result<Subnet> ParseSubnet(std::string_view text);

using MacAddress = std::array<uint8_t, 6>;

// One MAC for one address, for ever: what neighbours remember stays right when an address is used
// anew.
MacAddress MacFor(Ipv4 address);

// The addresses between the gateway and the broadcast address. One thread.
class AddressPool {
 public:
  explicit AddressPool(const Subnet& subnet);

  // The next free address after the one taken last: a freed one rests as long as possible.
  // kResourceExhausted if all are taken.
  Result<Ipv4> Take();

  // False if it was taken already or is not one of the subnet's.
  bool Mark(Ipv4 address);
  void Free(Ipv4 address);

  size_t free_count() const { return free_; }

 private:
  const Subnet subnet_;
  std::vector<bool> taken_;  // by distance from the network address
  size_t next_ = 2;
  size_t free_ = 0;
};

}  // namespace updraft::node_agent

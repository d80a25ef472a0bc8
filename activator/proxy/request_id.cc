#include "activator/proxy/request_id.h"

#include <bit>
#include <cstring>
#include <random>

namespace updraft::activator {

namespace {

// The hexadecimal digits of the lower four bits of each byte.
uint64_t HexDigits(uint64_t bits) {
  constexpr uint64_t ones = 0x0101010101010101;
  const uint64_t halves = bits & (ones * 0x0f);
  const uint64_t letters = (halves + ones * 6) >> 4 & ones;  // those of ten and more
  return halves + ones * '0' + letters * ('a' - '0' - 10);
}

}  // namespace

RequestIds::RequestIds() {
  std::random_device device;
  for (uint64_t& word : state_) word = uint64_t{device()} << 32 | device() | 1;
}

// xoroshiro128+ gives the bits: a request must not wait for the kernel's.
RequestId RequestIds::Next() {
  RequestId id;
  for (size_t half = 0; half < 2; ++half) {
    const uint64_t bits = state_[0] + state_[1];
    const uint64_t mixed = state_[0] ^ state_[1];
    state_[0] = std::rotl(state_[0], 24) ^ mixed ^ mixed << 16;
    state_[1] = std::rotl(mixed, 37);
    // The order of the digits is no matter.
    const uint64_t digits[2] = {HexDigits(bits), HexDigits(bits >> 4)};
    std::memcpy(&id.text_[half * 16], digits, sizeof digits);
  }
  return id;
}

}  // namespace updraft::activator

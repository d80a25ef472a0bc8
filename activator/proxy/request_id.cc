#include "activator/proxy/request_id.h"

#include <bit>
#include <cstring>
#include <random>

namespace updraft::activator {

namespace {

struct HexPairs {
  char text[256][2];
  constexpr HexPairs() : text() {
    constexpr std::string_view digits = "0123456789abcdef";
    for (unsigned byte = 0; byte < 256; ++byte) {
      text[byte][0] = digits[byte / 16];
      text[byte][1] = digits[byte % 16];
    }
  }
};
constexpr HexPairs kHexPairs;

}  // namespace

RequestIds::RequestIds() {
  std::random_device device;
  for (uint64_t& word : state_) word = uint64_t{device()} << 32 | device() | 1;
}

// xoroshiro128+ gives the bits: a request must not wait for the kernel's.
RequestId RequestIds::Next() {
  RequestId id;
  for (size_t half = 0; half < 2; ++half) {
    uint64_t bits = state_[0] + state_[1];
    const uint64_t mixed = state_[0] ^ state_[1];
    state_[0] = std::rotl(state_[0], 24) ^ mixed ^ mixed << 16;
    state_[1] = std::rotl(mixed, 37);
    for (size_t i = 0; i < 8; ++i, bits >>= 8)
      std::memcpy(&id.text_[half * 16 + i * 2], kHexPairs.text[bits & 255], 2);
  }
  return id;
}

}  // namespace updraft::activator

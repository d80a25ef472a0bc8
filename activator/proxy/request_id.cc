#include "activator/proxy/request_id.h"

namespace updraft::activator {

std::string RequestIds::Next() {
  constexpr char digits[] = "0123456789abcdef";
  std::string id(32, '0');
  for (size_t half = 0; half < 2; ++half) {
    uint64_t bits = random_();
    for (size_t i = 0; i < 16; ++i, bits >>= 4) id[half * 16 + i] = digits[bits & 15];
  }
  return id;
}

}  // namespace updraft::activator

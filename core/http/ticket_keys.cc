#include "core/http/ticket_keys.h"

#include <openssl/rand.h>

#include "core/base/check.h"

namespace updraft::http {
namespace {

template <size_t N>
void FillAtRandom(std::array<unsigned char, N>& bytes) {
  UPDRAFT_CHECK(RAND_bytes(bytes.data(), int{N}) == 1);
}

TicketKey MakeTicketKey() {
  TicketKey key;
  FillAtRandom(key.name);
  FillAtRandom(key.cipher);
  FillAtRandom(key.mac);
  return key;
}

}  // namespace

TicketKeys MakeTicketKeys() { return {MakeTicketKey(), MakeTicketKey()}; }

TicketKeys Rotate(const TicketKeys& keys) { return {MakeTicketKey(), keys.current}; }

}  // namespace updraft::http

// The keys that session tickets are sealed with: the same for all workers, so that a client resumes
// at whichever takes it.
#pragma once

#include <array>
#include <cstdint>

namespace updraft::http {

struct TicketKey {
  std::array<unsigned char, 16> name;
  std::array<unsigned char, 32> cipher;
  std::array<unsigned char, 32> mac;
};

// New tickets are sealed with the first; those of the second are still good.
struct TicketKeys {
  TicketKey current;
  TicketKey previous;
};

// Random.
TicketKeys MakeTicketKeys();
// A new current key; the one so far is the previous.
TicketKeys Rotate(const TicketKeys& keys);

}  // namespace updraft::http

// The sizes that a client's terminal takes on: JSON objects, one after the other, cut anywhere.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace updraft::controller {

struct ClientTerminalSize {
  uint32_t columns = 0;
  uint32_t rows = 0;
  bool operator==(const ClientTerminalSize&) const = default;
};

class TerminalSizes {
 public:
  // The sizes that are whole with these bytes. What is none is passed over.
  std::vector<ClientTerminalSize> Feed(std::string_view bytes);

 private:
  std::string unread_;
};

}  // namespace updraft::controller

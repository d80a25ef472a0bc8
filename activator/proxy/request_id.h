// Names for requests that come without one.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace updraft::activator {

// 32 hexadecimal digits.
class RequestId {
 public:
  std::string_view view() const { return {text_.data(), text_.size()}; }

 private:
  friend class RequestIds;
  std::array<char, 32> text_{};
};

// One per worker; not safe for concurrent use. Its ids are unique by chance, and no secret.
class RequestIds {
 public:
  RequestIds();
  RequestId Next();

 private:
  uint64_t state_[2];
};

}  // namespace updraft::activator

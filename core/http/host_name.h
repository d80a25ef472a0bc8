// The host of an authority as hosts are compared. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace updraft::http {

// The host of a Host header or :authority: lower case, without port and trailing dot. Empty when it
// is none.
class HostName {
 public:
  explicit HostName(std::string_view authority);
  std::string_view view() const { return {text_.data(), size_}; }

 private:
  static constexpr size_t kBytesMax = 255;
  size_t size_ = 0;
  std::array<char, kBytesMax> text_;
};

}  // namespace updraft::http

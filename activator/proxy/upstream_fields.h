// The head of a request as an instance gets it over HTTP/2. Pure.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "core/http/message.h"

namespace updraft::activator {

// The same fields as over HTTP/1.1, behind the pseudo-fields.
class UpstreamFields {
 public:
  // `head`: what WriteUpstreamHead() wrote. It and the request must outlive the fields.
  UpstreamFields(const http::RequestHead& request, std::string_view head);
  std::span<const http::Header> all() const { return {fields_.data(), count_}; }

 private:
  static constexpr size_t kMax = 120;  // those of a request, and ours

  void Add(std::string_view name, std::string_view value);

  size_t count_ = 0;
  std::array<http::Header, kMax> fields_;
};

}  // namespace updraft::activator

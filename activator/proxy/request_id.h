// Names for requests that come without one.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace updraft::activator {

// One per worker; not safe for concurrent use.
class RequestIds {
 public:
  RequestIds() : random_(std::random_device()()) {}

  // 32 hexadecimal digits. Not secret, not guessable by accident.
  std::string Next();

 private:
  std::mt19937_64 random_;
};

}  // namespace updraft::activator

// Lines on their way from one thread to another, in memory of fixed size: neither ever waits for the
// other.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace updraft::activator {

class LineRing {
 public:
  // `bytes`: a power of two.
  explicit LineRing(size_t bytes);

  // ---- the writing thread. False: there is no room for all of it, and nothing was written.
  bool Write(std::string_view line);

  // ---- the reading thread. What was written and not yet consumed, in one or two pieces, whole lines
  // together.
  std::array<std::string_view, 2> Readable() const;
  void Consume(size_t bytes);

 private:
  const size_t mask_;
  const std::unique_ptr<char[]> bytes_;
  // Bytes since the beginning: each is written by one side alone.
  alignas(64) std::atomic<uint64_t> written_{0};
  alignas(64) std::atomic<uint64_t> consumed_{0};
};

}  // namespace updraft::activator

// Builds the bytes of a head in memory that is used again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "core/http/message.h"

namespace updraft::http {

// Grows as needed and is kept for the next head. One writer at a time uses it: a thread-local of
// the function that writes and sends before it waits.
class HeadBuffer {
 private:
  friend class HeadWriter;
  void Grow(size_t used, size_t needed);

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

class HeadWriter {
 public:
  // Begins anew in `buffer`.
  explicit HeadWriter(HeadBuffer& buffer)
      : buffer_(buffer), at_(buffer.bytes_.get()), end_(buffer.bytes_.get() + buffer.size_) {}

  void Text(std::string_view text) {
    if (text.size() > room()) Grow(text.size());
    Copy(at_, text.data(), text.size());
    at_ += text.size();
  }
  // For string literals: their copies are a few instructions.
  template <size_t N>
  void Literal(const char (&text)[N]) {
    if (N - 1 > room()) Grow(N - 1);
    std::memcpy(at_, text, N - 1);
    at_ += N - 1;
  }
  void Number(uint64_t number);
  // "name: value\r\n".
  template <size_t N>
  void Field(const char (&name)[N], std::string_view value) {
    const size_t size = N - 1 + 2 + value.size() + 2;
    if (size > room()) Grow(size);
    std::memcpy(at_, name, N - 1);
    std::memcpy(at_ + N - 1, ": ", 2);
    Copy(at_ + N + 1, value.data(), value.size());
    at_ += size;
    std::memcpy(at_ - 2, "\r\n", 2);
  }
  // "HTTP/1.1 200 OK\r\n".
  void StatusLine(int status);
  // The lines of those fields that `keep` (Header -> bool) says so of.
  template <typename Keep>
  void Fields(const Headers& headers, Keep keep) {
    headers.ForEachRun(keep, [this](std::string_view lines) {
      Text(lines);
      Literal("\r\n");
    });
  }

  // What was written; valid until more is.
  std::string_view written() const {
    return {buffer_.bytes_.get(), static_cast<size_t>(at_ - buffer_.bytes_.get())};
  }

 private:
  // Most pieces are a few bytes long: those take two moves that may overlap, and no call.
  static void Copy(char* to, const char* from, size_t size) {
    if (size > 32) {
      std::memcpy(to, from, size);
    } else if (size >= 16) {
      CopyTwice<16>(to, from, size);
    } else if (size >= 8) {
      CopyTwice<8>(to, from, size);
    } else if (size >= 4) {
      CopyTwice<4>(to, from, size);
    } else {
      for (size_t i = 0; i < size; ++i) to[i] = from[i];
    }
  }
  template <size_t N>
  static void CopyTwice(char* to, const char* from, size_t size) {
    char first[N];
    char last[N];
    std::memcpy(first, from, N);
    std::memcpy(last, from + size - N, N);
    std::memcpy(to, first, N);
    std::memcpy(to + size - N, last, N);
  }

  size_t room() const { return static_cast<size_t>(end_ - at_); }
  void Grow(size_t needed);

  HeadBuffer& buffer_;
  char* at_;
  char* end_;
};

}  // namespace updraft::http

#include "core/http/head_writer.h"

#include <algorithm>
#include <charconv>

namespace updraft::http {
namespace {

constexpr size_t kFirstBytes = 4096;

}  // namespace

void HeadBuffer::Grow(size_t used, size_t needed) {
  size_ = std::max({kFirstBytes, size_ * 2, used + needed});
  auto larger = std::make_unique<char[]>(size_);
  if (used > 0) std::memcpy(larger.get(), bytes_.get(), used);
  bytes_ = std::move(larger);
}

void HeadWriter::Grow(size_t needed) {
  const size_t used = written().size();
  buffer_.Grow(used, needed);
  at_ = buffer_.bytes_.get() + used;
  end_ = buffer_.bytes_.get() + buffer_.size_;
}

void HeadWriter::Number(uint64_t number) {
  char text[20];
  const char* const end = std::to_chars(text, text + sizeof text, number).ptr;
  Text({text, static_cast<size_t>(end - text)});
}

void HeadWriter::StatusLine(int status) {
  if (status == 200) {
    Literal("HTTP/1.1 200 OK\r\n");
    return;
  }
  Literal("HTTP/1.1 ");
  Number(static_cast<uint64_t>(status));
  Literal(" ");
  Text(ReasonPhrase(status));
  Literal("\r\n");
}

}  // namespace updraft::http

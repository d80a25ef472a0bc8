// A page on its way out: as plain text, or as one gzip stream (RFC 1952) that is put together of pieces, so that what was
// compressed for an earlier page can stand in it. One member, since curl reads no more. One thread.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace updraft::metrics {

// Text compressed by itself: deflate blocks that end at a byte and refer to nothing before them.
struct CompressedText {
  std::string blocks = {};
  uint32_t crc = 0;
  uint32_t crc_shift = 0;  // takes a CRC past the text (crc32_combine_op)
  size_t size = 0;         // of the text
};

// Quick rather than thorough. Holds some 270 kB.
class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  CompressedText Compress(std::string_view text);

 private:
  z_stream stream_{};
  std::string room_;
};

class PageWriter {
 public:
  explicit PageWriter(bool gzip = false);

  bool gzip() const { return gzip_; }
  // For appending. In a gzip stream it is stored, not compressed.
  std::string& text() { return text_; }
  void Append(const CompressedText& text);  // REQUIRES: gzip()
  // Nothing follows.
  void End();

  // What is to be sent next, until the page is written on; Clear(): it was.
  std::string_view Ready();
  void Clear();

 private:
  void Store();
  void Join(uint32_t crc, uint32_t crc_shift, size_t size);

  const bool gzip_;
  std::string text_;
  std::string stream_;  // gzip alone
  uint32_t crc_ = 0;    // of all text in the stream
  uint32_t size_ = 0;   // modulo 2^32
};

}  // namespace updraft::metrics

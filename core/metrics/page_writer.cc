#include "core/metrics/page_writer.h"

#include <algorithm>

#include "core/base/check.h"

namespace updraft::metrics {
namespace {

constexpr int kRawWindowBits = -15;  // no header of zlib's own
constexpr int kMemoryLevel = 8;
constexpr size_t kStoredMax = 65'535;
constexpr std::string_view kGzipHeader("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
constexpr std::string_view kEmptyLastBlock("\x03\0", 2);

const Bytef* BytesOf(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

uint32_t CrcOf(std::string_view text) {
  return static_cast<uint32_t>(crc32_z(0, BytesOf(text), text.size()));
}

uint32_t CrcShift(size_t size) {
  return static_cast<uint32_t>(crc32_combine_gen(static_cast<z_off_t>(size)));
}

void AppendLittle(std::string& bytes, uint32_t number, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(number >> (8 * i)));
}

}  // namespace

Compressor::Compressor() {
  UPDRAFT_CHECK(deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, kRawWindowBits, kMemoryLevel,
                             Z_DEFAULT_STRATEGY) == Z_OK);
}

Compressor::~Compressor() { deflateEnd(&stream_); }

CompressedText Compressor::Compress(std::string_view text) {
  if (text.empty()) return {};
  UPDRAFT_CHECK(deflateReset(&stream_) == Z_OK);
  constexpr size_t kFlushMax = 16;
  room_.resize(std::max(room_.size(), deflateBound(&stream_, text.size()) + kFlushMax));
  stream_.next_in = const_cast<Bytef*>(BytesOf(text));  // which it only reads
  stream_.avail_in = static_cast<uInt>(text.size());
  stream_.next_out = reinterpret_cast<Bytef*>(room_.data());
  stream_.avail_out = static_cast<uInt>(room_.size());
  UPDRAFT_CHECK(deflate(&stream_, Z_SYNC_FLUSH) == Z_OK && stream_.avail_out > 0);
  return {std::string(room_.data(), room_.size() - stream_.avail_out), CrcOf(text), CrcShift(text.size()),
          text.size()};
}

PageWriter::PageWriter(bool gzip) : gzip_(gzip) {
  if (gzip_) stream_ = kGzipHeader;
}

void PageWriter::Append(const CompressedText& text) {
  if (text.size == 0) return;
  Store();
  stream_.append(text.blocks);
  Join(text.crc, text.crc_shift, text.size);
}

void PageWriter::End() {
  if (!gzip_) return;
  Store();
  stream_.append(kEmptyLastBlock);
  AppendLittle(stream_, crc_, 4);
  AppendLittle(stream_, size_, 4);
}

std::string_view PageWriter::Ready() {
  if (!gzip_) return text_;
  Store();
  return stream_;
}

void PageWriter::Clear() {
  text_.clear();
  stream_.clear();
}

void PageWriter::Store() {
  if (text_.empty()) return;
  for (std::string_view rest = text_; !rest.empty();) {
    const std::string_view block = rest.substr(0, kStoredMax);
    const auto size = static_cast<uint32_t>(block.size());
    stream_.push_back('\0');
    AppendLittle(stream_, size, 2);
    AppendLittle(stream_, ~size, 2);
    stream_.append(block);
    rest.remove_prefix(block.size());
  }
  Join(CrcOf(text_), CrcShift(text_.size()), text_.size());
  text_.clear();
}

void PageWriter::Join(uint32_t crc, uint32_t crc_shift, size_t size) {
  crc_ = static_cast<uint32_t>(crc32_combine_op(crc_, crc, crc_shift));
  size_ += static_cast<uint32_t>(size);
}

}  // namespace updraft::metrics

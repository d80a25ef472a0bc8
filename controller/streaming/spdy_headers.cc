#include "controller/streaming/spdy_headers.h"

#include <array>
#include <cstdint>

#include "core/base/check.h"

namespace updraft::controller {
namespace {

constexpr size_t kBlockBytesMax = 16 << 10;
// Blocks are short: 11 kB of memory are enough, where zlib's defaults would be 256.
constexpr int kWindowBits = 11;
constexpr int kMemoryLevel = 1;

void AppendNumber(std::string& text, size_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift & 0xff);
}

void AppendText(std::string& text, std::string_view value) {
  AppendNumber(text, value.size());
  text += value;
}

// The dictionary of SPDY/3: header names and values with their lengths, then words.
std::string MakeDictionary() {
  std::string_view texts =
      "options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-language|"
      "accept-ranges|age|allow|authorization|cache-control|connection|content-base|"
      "content-encoding|content-language|content-length|content-location|content-md5|"
      "content-range|content-type|date|etag|expect|expires|from|host|if-match|"
      "if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|location|"
      "max-forwards|pragma|proxy-authenticate|proxy-authorization|range|referer|retry-after|"
      "server|te|trailer|transfer-encoding|upgrade|user-agent|vary|via|warning|"
      "www-authenticate|method|get|status|200 OK|version|HTTP/1.1|url|public|set-cookie|"
      "keep-alive|origin|";
  std::string dictionary;
  while (!texts.empty()) {
    const size_t end = texts.find('|');
    AppendText(dictionary, texts.substr(0, end));
    texts.remove_prefix(end + 1);
  }
  dictionary +=
      "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
      "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 "
      "Unauthorized"
      "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service "
      "Unavailable"
      "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, "
      "Sun, GMT"
      "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/"
      "plain,"
      "text/"
      "javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq="
      "0.";
  return dictionary;
}

const std::string& Dictionary() {
  static const std::string dictionary = MakeDictionary();
  return dictionary;
}

// zlib takes pointers to bytes that it only reads.
Bytef* Bytes(std::string_view text) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(
      text.data()));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

// Takes numbers and texts off a block.
class BlockReader {
 public:
  explicit BlockReader(std::string_view block) : left_(block) {}

  bool Number(uint32_t& number) {
    if (left_.size() < 4) return false;
    number = 0;
    for (const char c : left_.substr(0, 4)) number = number << 8 | static_cast<uint8_t>(c);
    left_.remove_prefix(4);
    return true;
  }
  bool Text(std::string& text) {
    uint32_t size = 0;
    if (!Number(size) || size > left_.size()) return false;
    text = left_.substr(0, size);
    left_.remove_prefix(size);
    return true;
  }
  bool done() const { return left_.empty(); }

 private:
  std::string_view left_;
};

}  // namespace

SpdyInflater::SpdyInflater() { UPDRAFT_CHECK(inflateInit(&stream_) == Z_OK); }

SpdyInflater::~SpdyInflater() { inflateEnd(&stream_); }

Result<std::string> SpdyInflater::Inflate(std::string_view block) {
  std::string text;
  std::array<char, 4096> piece{};
  stream_.next_in = Bytes(block);
  stream_.avail_in = static_cast<uInt>(block.size());
  while (true) {
    stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream_.avail_out = piece.size();
    int result = inflate(&stream_, Z_SYNC_FLUSH);
    if (result == Z_NEED_DICT) {
      result = inflateSetDictionary(&stream_, Bytes(Dictionary()),
                                    static_cast<uInt>(Dictionary().size()));
      if (result == Z_OK) continue;
    }
    // Z_BUF_ERROR: there was nothing left to do.
    if (result != Z_OK && result != Z_BUF_ERROR)
      return Error{Code::kInvalidArgument, "SPDY: headers cannot be unpacked"};
    text.append(piece.data(), piece.size() - stream_.avail_out);
    if (text.size() > kBlockBytesMax)
      return Error{Code::kInvalidArgument, "SPDY: headers are too large"};
    if (stream_.avail_out > 0) return text;
  }
}

Result<SpdyHeaders> SpdyInflater::Decode(std::string_view block) {
  const Result<std::string> text = Inflate(block);
  if (!text) return text.error();
  BlockReader reader(*text);
  SpdyHeaders headers;
  uint32_t count = 0;
  bool good = reader.Number(count);
  for (uint32_t i = 0; good && i < count; ++i) {
    auto& [name, value] = headers.emplace_back();
    good = reader.Text(name) && reader.Text(value);
  }
  if (!good || !reader.done()) return Error{Code::kInvalidArgument, "SPDY: headers are cut off"};
  return headers;
}

SpdyDeflater::SpdyDeflater() {
  UPDRAFT_CHECK(deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits, kMemoryLevel,
                             Z_DEFAULT_STRATEGY) == Z_OK);
  UPDRAFT_CHECK(deflateSetDictionary(&stream_, Bytes(Dictionary()),
                                     static_cast<uInt>(Dictionary().size())) == Z_OK);
}

SpdyDeflater::~SpdyDeflater() { deflateEnd(&stream_); }

std::string SpdyDeflater::Encode(const SpdyHeaders& headers) {
  std::string text;
  AppendNumber(text, headers.size());
  for (const auto& [name, value] : headers) {
    AppendText(text, name);
    AppendText(text, value);
  }
  std::string block;
  std::array<char, 4096> piece{};
  stream_.next_in = Bytes(text);
  stream_.avail_in = static_cast<uInt>(text.size());
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream_.avail_out = piece.size();
    deflate(&stream_, Z_SYNC_FLUSH);
    block.append(piece.data(), piece.size() - stream_.avail_out);
  } while (stream_.avail_out == 0);
  return block;
}

}  // namespace updraft::controller

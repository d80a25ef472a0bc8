#include "core/http/parser.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/http/bytes.h"

namespace updraft::http {
namespace {

constexpr size_t kLengthDigitsMax = 18;  // below 2^63
constexpr size_t kFirstLineBytesMax = kTargetBytesMax + 64;

// What the fields say that matters to framing, gathered while they are read.
struct Gathered {
  int hosts = 0;
  int lengths = 0;
  int encodings = 0;
  bool close = false;
  bool keep_alive = false;
  bool connection_upgrade = false;
  bool upgrade = false;
  bool upgrade_h2c = false;
  std::string_view host;
  std::string_view length;
  std::string_view encoding;
  std::string_view expect;
};

struct FieldTable {
  std::array<HeaderField, kFieldsMax> fields;
  size_t count = 0;
};

// One for all heads of a thread: clearing it for each would cost more than reading most of them.
FieldTable& EmptyTable() {
  constinit thread_local FieldTable table;
  table.count = 0;
  return table;
}

void GatherConnection(std::string_view value, Gathered& gathered) {
  if (ListHasToken(value, "close")) gathered.close = true;
  if (ListHasToken(value, "keep-alive")) gathered.keep_alive = true;
  if (ListHasToken(value, "upgrade")) gathered.connection_upgrade = true;
}

void Gather(FieldName name, std::string_view value, Gathered& gathered) {
  switch (name) {
    case FieldName::kHost:
      ++gathered.hosts;
      gathered.host = value;
      return;
    case FieldName::kExpect:
      gathered.expect = value;
      return;
    case FieldName::kUpgrade:
      gathered.upgrade = true;
      if (ListHasToken(value, "h2c")) gathered.upgrade_h2c = true;
      return;
    case FieldName::kConnection:
      GatherConnection(value, gathered);
      return;
    case FieldName::kContentLength:
      ++gathered.lengths;
      gathered.length = value;
      return;
    case FieldName::kTransferEncoding:
      ++gathered.encodings;
      gathered.encoding = value;
      return;
    default:
      return;
  }
}

// Reads the fields of `head` from `at` to its empty line.
Refusal ParseFields(std::string_view head, size_t at, FieldTable& table, Gathered& gathered) {
  while (head[at] != '\r') {
    const size_t name_size = SpanOfToken(head, at);
    const size_t colon = at + name_size;
    if (name_size == 0 && (head[at] == ' ' || head[at] == '\t')) return {400, "folded header line"};
    if (name_size == 0 || head[colon] != ':') return {400, "malformed header name"};
    size_t start = colon + 1;
    while (head[start] == ' ' || head[start] == '\t') ++start;
    const size_t line_end = start + SpanOfValue(head, start);
    if (head[line_end] != '\r' || head[line_end + 1] != '\n')
      return {400, "forbidden byte in a header value"};
    size_t end = line_end;
    while (end > start && (head[end - 1] == ' ' || head[end - 1] == '\t')) --end;
    if (table.count == kFieldsMax) return {431, "too many header fields"};
    const FieldName known = FieldNameOf({head.data() + at, name_size});
    table.fields[table.count++] = {static_cast<uint32_t>(at), static_cast<uint32_t>(start),
                                   static_cast<uint32_t>(name_size),
                                   static_cast<uint32_t>(end - start), known};
    Gather(known, {head.data() + start, end - start}, gathered);
    at = line_end + 2;
  }
  if (head.substr(at) != "\r\n") return {400, "stray carriage return"};
  return {};
}

std::optional<int> ParseVersion(std::string_view version) {
  if (version == "HTTP/1.1") return 1;
  if (version == "HTTP/1.0") return 0;
  return std::nullopt;
}

// Three digits; -1: others.
int ParseStatus(const char* text) {
  int status = 0;
  for (size_t i = 0; i < 3; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    status = status * 10 + (text[i] - '0');
  }
  return status;
}

bool LooksLikeVersion(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/") && text[5] >= '0' && text[5] <= '9' &&
         text[6] == '.' && text[7] >= '0' && text[7] <= '9';
}

Refusal ParseRequestLine(std::string_view line, RequestHead& out) {
  const size_t method_size = SpanOf(line, 0, kTokenByte);
  if (method_size == 0 || method_size == line.size() || line[method_size] != ' ')
    return {400, "malformed method"};
  const size_t target_start = method_size + 1;
  const size_t target_size = SpanOf(line, target_start, kTargetByte);
  const size_t target_end = target_start + target_size;
  if (target_size == 0 || target_end == line.size() || line[target_end] != ' ') {
    return {400, "malformed request target"};
  }
  if (target_size > kTargetBytesMax) return {414, "request target too long"};
  const std::string_view version = line.substr(target_end + 1);
  const std::optional<int> minor = ParseVersion(version);
  if (!minor && LooksLikeVersion(version))
    return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  if (!minor) return {400, "malformed HTTP version"};
  out.minor_version = *minor;
  out.method.assign(line.substr(0, method_size));
  out.target.assign(line.substr(target_start, target_size));
  return {};
}

Refusal CheckTarget(const RequestHead& head) {
  if (head.method == "CONNECT") return {405, "CONNECT is not served"};
  if (head.target.front() == '/') return {};
  if (head.target == "*") {
    if (head.method == "OPTIONS") return {};
    return {400, "\"*\" is for OPTIONS only"};
  }
  const bool http = EqualsIgnoreCase(std::string_view(head.target).substr(0, 7), "http://");
  const bool https = EqualsIgnoreCase(std::string_view(head.target).substr(0, 8), "https://");
  if (!http && !https) return {400, "request target is neither a path nor a URL"};
  return {};
}

Refusal CheckHost(const RequestHead& head, const Gathered& gathered) {
  if (gathered.hosts > 1) return {400, "more than one Host header"};
  if (gathered.hosts == 0 && head.minor_version == 1) return {400, "no Host header"};
  if (gathered.hosts == 1 && !IsAuthority(gathered.host)) return {400, "malformed Host header"};
  if (head.target.front() == '/' || head.target == "*") return {};
  const std::string_view authority = head.host();
  if (!IsAuthority(authority)) return {400, "malformed host in the request target"};
  if (gathered.hosts == 1 && !EqualsIgnoreCase(authority, gathered.host)) {
    return {400, "Host header differs from the request target"};
  }
  return {};
}

std::optional<uint64_t> ParseLength(std::string_view text) {
  if (text.empty() || text.size() > kLengthDigitsMax) return std::nullopt;
  uint64_t length = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    length = length * 10 + static_cast<uint64_t>(c - '0');
  }
  return length;
}

// Content-Length and Transfer-Encoding, of requests and responses alike.
Refusal ParseBodyFraming(const Gathered& gathered, int minor_version, Framing& framing) {
  if (gathered.encodings > 0) {
    if (minor_version == 0) return {400, "Transfer-Encoding in HTTP/1.0"};
    if (gathered.lengths > 0) return {400, "both Content-Length and Transfer-Encoding"};
    if (gathered.encodings > 1) return {400, "more than one Transfer-Encoding"};
    if (!EqualsIgnoreCase(gathered.encoding, "chunked"))
      return {501, "Transfer-Encoding other than chunked"};
    framing.body = BodyFraming::kChunked;
    return {};
  }
  if (gathered.lengths == 0) return {};
  if (gathered.lengths > 1) return {400, "more than one Content-Length"};
  const std::optional<uint64_t> length = ParseLength(gathered.length);
  if (!length) return {400, "malformed Content-Length"};
  framing.body = BodyFraming::kLength;
  framing.length = *length;
  return {};
}

constexpr size_t kBlockBytes = 32;

// Which of `count` (<= kBlockBytes) bytes from `start` on are line feeds, a bit each.
uint32_t LineFeeds(std::string_view text, size_t start, size_t count) {
#if defined(__SSE2__)
  if (text.size() >= kBlockBytes) {
    const size_t from =
        std::min(start, text.size() - kBlockBytes);  // the rest: bytes from before it, too
    const __m128i feed = _mm_set1_epi8('\n');
    const char* const block = text.data() + from;
    const uint32_t low = internal::BitsOf(_mm_cmpeq_epi8(internal::Load16(block), feed));
    const uint32_t high = internal::BitsOf(_mm_cmpeq_epi8(internal::Load16(block + 16), feed));
    return (low | high << 16) >> (start - from);
  }
#endif
  uint32_t feeds = 0;
  for (size_t i = 0; i < count; ++i) feeds |= static_cast<uint32_t>(text[start + i] == '\n') << i;
  return feeds;
}

bool WantsKeepAlive(const Gathered& gathered, int minor_version) {
  return !gathered.close && (minor_version == 1 || gathered.keep_alive);
}

}  // namespace

bool IsAuthority(std::string_view text) {
  size_t end = SpanOf(text, 0, kNameByte);
  if (text.starts_with('[')) {
    end = 1 + SpanOf(text, 1, kAddressByte);
    if (end < 3 || end == text.size() || text[end] != ']') return false;
    ++end;
  }
  if (end == 0 || end == text.size()) return end > 0;
  const std::string_view port = text.substr(end + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text[end] == ':' && port.size() <= 5 && std::ranges::all_of(port, is_digit);
}

size_t HeadScanner::Scan(std::string_view bytes) {
  while (scanned_ < bytes.size()) {
    const size_t count = std::min(bytes.size() - scanned_, kBlockBytes);
    for (uint32_t feeds = LineFeeds(bytes, scanned_, count); feeds != 0; feeds &= feeds - 1) {
      const size_t at = scanned_ + static_cast<size_t>(std::countr_zero(feeds));
      if (at == 0 || bytes[at - 1] != '\r') {
        refusal_ = {400, "line feed without carriage return"};
        return 0;
      }
      line_seen_ = true;
      if (at < 3 || bytes[at - 2] != '\n') continue;
      if (at < kHeadBytesMax) return at + 1;
      refusal_ = {431, "header fields too large"};
      return 0;
    }
    scanned_ += count;
  }
  if (bytes.size() >= kHeadBytesMax) {
    refusal_ = {431, "header fields too large"};
  } else if (!line_seen_ && bytes.size() > kFirstLineBytesMax) {
    refusal_ = {414, "request target too long"};
  }
  return 0;
}

Refusal ParseRequestHead(std::string_view head, RequestHead& out, Framing& framing) {
  if (head.starts_with("\r\n")) head.remove_prefix(2);  // some clients end a body with one too many
  const size_t line_end = head.find('\r');
  if (head.size() < 4 || head[line_end + 1] != '\n') return {400, "malformed request line"};
  // As the scanner has it, when the line comes in pieces.
  if (line_end >= kFirstLineBytesMax) return {414, "request target too long"};
  if (const Refusal refusal = ParseRequestLine(head.substr(0, line_end), out)) return refusal;
  if (const Refusal refusal = CheckTarget(out)) return refusal;

  FieldTable& table = EmptyTable();
  Gathered gathered;
  if (const Refusal refusal = ParseFields(head, line_end + 2, table, gathered)) return refusal;
  if (const Refusal refusal = CheckHost(out, gathered)) return refusal;
  framing = {};
  if (const Refusal refusal = ParseBodyFraming(gathered, out.minor_version, framing))
    return refusal;
  if (!gathered.expect.empty() && out.minor_version == 1) {
    if (!EqualsIgnoreCase(gathered.expect, "100-continue")) return {417, "unknown expectation"};
    framing.expect_continue = framing.body != BodyFraming::kNone;
  }
  framing.keep_alive = WantsKeepAlive(gathered, out.minor_version);
  // Behind an upgrade to HTTP/2 its requests would pass unseen: the request is answered as
  // HTTP/1.1.
  framing.upgrade = gathered.upgrade && gathered.connection_upgrade && !gathered.upgrade_h2c &&
                    out.minor_version == 1;
  out.headers.Adopt(head, {table.fields.data(), table.count});
  return {};
}

Refusal ParseResponseHead(std::string_view head, std::string_view method, ResponseHead& out,
                          Framing& framing) {
  const size_t line_end = head.find('\r');
  const std::string_view line = head.substr(0, line_end);
  if (line.size() < 12 || line.size() >= kFirstLineBytesMax || head[line_end + 1] != '\n')
    return {502, "malformed status line"};
  const std::optional<int> minor = ParseVersion(line.substr(0, 8));
  const int status = ParseStatus(line.data() + 9);
  if (!minor || line[8] != ' ' || status < 100 || status > 599)
    return {502, "malformed status line"};
  if (line.size() > 12 && (line[12] != ' ' || !AllOf(line.substr(12), kValueByte))) {
    return {502, "malformed reason phrase"};
  }
  if (*minor == 0 && status < 200) return {502, "interim response in HTTP/1.0"};
  out.status = status;
  out.minor_version = *minor;

  FieldTable& table = EmptyTable();
  Gathered gathered;
  if (Refusal refusal = ParseFields(head, line_end + 2, table, gathered))
    return {502, refusal.reason};
  framing = {};
  if (Refusal refusal = ParseBodyFraming(gathered, *minor, framing)) return {502, refusal.reason};
  // Some read a body behind these in spite of all rules.
  if (gathered.encodings > 0 && (out.status < 200 || out.status == 204))
    return {502, "Transfer-Encoding without a body"};
  framing.keep_alive = WantsKeepAlive(gathered, *minor);
  framing.upgrade = out.status == 101;
  const bool bodiless =
      out.status < 200 || out.status == 204 || out.status == 304 || method == "HEAD";
  if (bodiless) {
    framing.body = BodyFraming::kNone;
  } else if (framing.body == BodyFraming::kNone) {
    framing.body = BodyFraming::kUntilClose;
    framing.keep_alive = false;
  }
  out.headers.Adopt(head, {table.fields.data(), table.count});
  return {};
}

Refusal ParseTrailers(std::string_view text, Headers& out) {
  FieldTable& table = EmptyTable();
  Gathered gathered;
  if (const Refusal refusal = ParseFields(text, 0, table, gathered)) return refusal;
  if (gathered.hosts + gathered.lengths + gathered.encodings > 0) return {400, "forbidden trailer"};
  out.Adopt(text, {table.fields.data(), table.count});
  return {};
}

}  // namespace updraft::http

// Heads of HTTP/1.0 and 1.1, strictly: what two parsers could read differently is refused. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/http/message.h"

namespace updraft::http {

inline constexpr size_t kHeadBytesMax = 64 << 10;
inline constexpr size_t kTargetBytesMax = 16 << 10;
inline constexpr size_t kFieldsMax = 100;

// Why a message is refused: the status to answer it with, and a reason for a person. A response
// that is refused becomes a 502 of ours.
struct Refusal {
  int status = 0;           // 0: not refused
  std::string_view reason;  // of static duration

  explicit operator bool() const { return status != 0; }
};

// Looks for the empty line that ends a head. Keeps its place, so that a head which comes byte by
// byte is looked at once.
class HeadScanner {
 public:
  // `bytes`: all that has come since the head's start; the same bytes and more at each call.
  // Returns the head's size, its empty line included; 0: not yet whole, see refusal().
  size_t Scan(std::string_view bytes);
  Refusal refusal() const { return refusal_; }

 private:
  size_t scanned_ = 0;
  bool line_seen_ = false;
  Refusal refusal_;
};

enum class BodyFraming {
  kNone,
  kLength,
  kChunked,
  kUntilClose,  // responses only
};

// What a head says about its message beside the fields themselves.
struct Framing {
  BodyFraming body = BodyFraming::kNone;
  uint64_t length = 0;      // with kLength
  bool keep_alive = false;  // the sender is ready for another exchange on the connection
  bool expect_continue = false;
  bool upgrade = false;  // asks for, or in a 101 grants, another protocol
};

// Whether `text` is what Host and :authority may be: "name", "name:port", "[address]" or
// "[address]:port".
bool IsAuthority(std::string_view text);

// `head`: whole, as HeadScanner delimits it.
Refusal ParseRequestHead(std::string_view head, RequestHead& out, Framing& framing);

// `method`: of the request that is answered; it decides whether a body follows.
Refusal ParseResponseHead(std::string_view head, std::string_view method, ResponseHead& out,
                          Framing& framing);

// Fields without a first line, empty line included: trailers. Those that would change the message's
// meaning (framing, routing, Host) are refused.
Refusal ParseTrailers(std::string_view text, Headers& out);

}  // namespace updraft::http

#include "core/http/output.h"

#include <string>

namespace updraft::http {

IoState Pieces::WriteNow(Stream& stream) {
  while (first_ < count_) {
    IoResult io = stream.Write({iov_.data() + first_, count_ - first_});
    if (io.state != IoState::kOk) return io.state;
    written_ = true;
    left_ -= io.bytes;
    if (left_ == 0) break;
    while (first_ < count_ && io.bytes >= iov_[first_].iov_len) io.bytes -= iov_[first_++].iov_len;
    if (first_ < count_) {
      iov_[first_].iov_base = static_cast<char*>(iov_[first_].iov_base) + io.bytes;
      iov_[first_].iov_len -= io.bytes;
    }
  }
  return IoState::kOk;
}

std::string Pieces::Rest() const {
  std::string rest;
  for (size_t i = first_; i < count_; ++i)
    rest.append(static_cast<const char*>(iov_[i].iov_base), iov_[i].iov_len);
  return rest;
}

Task<Status> WriteRest(Stream& stream, std::string rest, Nanos stall_timeout) {
  size_t at = 0;
  while (at < rest.size()) {
    const bool forever = stall_timeout == Nanos::max();
    const TimePoint deadline = forever ? TimePoint::max() : stream.loop().Now() + stall_timeout;
    const WaitEnd wait = co_await stream.Writable(deadline);
    if (wait == WaitEnd::kInterrupted) co_return Error{Code::kCancelled, "interrupted"};
    if (wait == WaitEnd::kTimeout)
      co_return Error{Code::kDeadlineExceeded, "the peer does not read"};
    const iovec piece{rest.data() + at, rest.size() - at};
    const IoResult io = stream.Write({&piece, 1});
    if (io.state == IoState::kBroken)
      co_return Error{Code::kUnavailable, "connection closed by the peer"};
    at += io.bytes;
  }
  co_return Ok();
}

}  // namespace updraft::http

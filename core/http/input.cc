#include "core/http/input.h"

#include <algorithm>
#include <array>

namespace updraft::http {
namespace {

constexpr size_t kScratchBytes = 64 << 10;
constexpr size_t kHeadReadBytes = 16 << 10;  // a body behind the head is copied once: not too much of it

std::span<char> Scratch() {
  thread_local std::array<char, kScratchBytes> scratch;
  return scratch;
}

HeadRead::End EndOf(WaitEnd end, bool begun) {
  if (end == WaitEnd::kInterrupted) return HeadRead::End::kInterrupted;
  return begun ? HeadRead::End::kSlow : HeadRead::End::kTimeout;
}

}  // namespace

Task<HeadRead> Input::ReadHead(TimePoint idle_deadline, Nanos head_timeout) {
  HeadScanner scanner;
  TimePoint deadline = idle_deadline;
  if (has_kept()) {
    const HeadRead kept = TakeKeptHead(scanner);
    if (kept.end != HeadRead::End::kCut) co_return kept;
    if (head_timeout != Nanos::max()) deadline = stream_.loop().Now() + head_timeout;
  } else {
    kept_ = std::string();  // idle connections hold no memory
    at_ = 0;
  }
  while (true) {
    const WaitEnd wait = co_await stream_.Readable(deadline);
    if (wait != WaitEnd::kReady) co_return HeadRead{EndOf(wait, has_kept()), {}, {}};
    const std::span<char> scratch = Scratch().first(kHeadReadBytes);
    const IoResult io = stream_.Read(scratch);
    if (io.state == IoState::kBlocked) continue;
    if (io.state != IoState::kOk) {
      co_return HeadRead{has_kept() ? HeadRead::End::kCut : HeadRead::End::kClosed, {}, {}};
    }
    const std::string_view bytes(scratch.data(), io.bytes);
    if (!has_kept()) {
      const size_t size = scanner.Scan(bytes);
      if (size > 0) {
        if (size < bytes.size()) Keep(bytes.substr(size));
        co_return HeadRead{HeadRead::End::kHead, bytes.substr(0, size), {}};
      }
      if (scanner.refusal()) co_return HeadRead{HeadRead::End::kRefused, {}, scanner.refusal()};
      if (head_timeout != Nanos::max()) deadline = stream_.loop().Now() + head_timeout;
      Keep(bytes);
      continue;
    }
    kept_.append(bytes);
    const HeadRead kept = TakeKeptHead(scanner);
    if (kept.end != HeadRead::End::kCut) co_return kept;
  }
}

HeadRead Input::TakeKeptHead(HeadScanner& scanner) {
  const std::string_view bytes = std::string_view(kept_).substr(at_);
  const size_t size = scanner.Scan(bytes);
  if (size > 0) {
    at_ += size;
    return {HeadRead::End::kHead, bytes.substr(0, size), {}};
  }
  if (scanner.refusal()) return {HeadRead::End::kRefused, {}, scanner.refusal()};
  return {HeadRead::End::kCut, {}, {}};
}

void Input::Keep(std::string_view bytes) {
  kept_.assign(bytes);
  at_ = 0;
}

Task<Input::Chunk> Input::Read(uint64_t bytes_max, TimePoint deadline) {
  if (has_kept()) {
    const size_t count = std::min<uint64_t>(bytes_max, kept_.size() - at_);
    last_read_ = {kept_.data() + at_, count};
    at_ += count;
    last_read_kept_ = true;
    co_return Chunk{last_read_, Chunk::End::kOk};
  }
  while (true) {
    const WaitEnd wait = co_await stream_.Readable(deadline);
    if (wait == WaitEnd::kTimeout) co_return Chunk{{}, Chunk::End::kTimeout};
    if (wait == WaitEnd::kInterrupted) co_return Chunk{{}, Chunk::End::kInterrupted};
    const std::span<char> scratch = Scratch();
    const IoResult io = stream_.Read(scratch.first(std::min<uint64_t>(bytes_max, scratch.size())));
    if (io.state == IoState::kBlocked) continue;
    if (io.state == IoState::kEnd) co_return Chunk{{}, Chunk::End::kEnd};
    if (io.state == IoState::kBroken) co_return Chunk{{}, Chunk::End::kBroken};
    last_read_ = scratch.first(io.bytes);
    last_read_kept_ = false;
    co_return Chunk{last_read_, Chunk::End::kOk};
  }
}

void Input::Return(size_t count) {
  if (count == 0) return;
  if (last_read_kept_) {
    at_ -= count;
  } else {
    Keep({last_read_.data() + last_read_.size() - count, count});
  }
}

Task<Result<std::string_view>> BodyReader::Read(TimePoint deadline) {
  while (!done_) {
    const uint64_t wanted = kind_ == BodyFraming::kLength ? left_ : kScratchBytes;
    const Input::Chunk chunk = co_await input_.Read(wanted, deadline);
    Result<std::string_view> piece = Take(chunk);
    if (!piece || !piece->empty()) co_return piece;
  }
  co_return std::string_view();
}

Task<Result<std::string_view>> ReadRaw(Input& input) {
  using End = Input::Chunk::End;
  const Input::Chunk chunk = co_await input.Read(kScratchBytes, TimePoint::max());
  if (chunk.end == End::kInterrupted) co_return Error{Code::kCancelled, "interrupted"};
  if (chunk.end == End::kBroken) co_return Error{Code::kUnavailable, "connection broken"};
  co_return std::string_view(chunk.bytes.data(), chunk.bytes.size());
}

// Empty and not done: nothing but framing came.
Result<std::string_view> BodyReader::Take(Input::Chunk chunk) {
  using End = Input::Chunk::End;
  if (chunk.end == End::kTimeout) return Error{Code::kDeadlineExceeded, "no more of the body came in time"};
  if (chunk.end == End::kInterrupted) return Error{Code::kCancelled, "interrupted"};
  if (chunk.end == End::kEnd && kind_ == BodyFraming::kUntilClose) {
    done_ = true;
    return std::string_view();
  }
  if (chunk.end != End::kOk) return Error{Code::kUnavailable, "connection closed before the end of the body"};

  if (kind_ == BodyFraming::kChunked) {
    const ChunkDecoder::Decoded decoded = chunks_.Decode(chunk.bytes);
    if (chunks_.refusal()) return Error{Code::kInvalidArgument, std::string(chunks_.refusal().reason)};
    done_ = chunks_.done();
    input_.Return(chunk.bytes.size() - decoded.consumed);
    return decoded.body;
  }
  if (kind_ == BodyFraming::kLength) {
    left_ -= chunk.bytes.size();
    done_ = left_ == 0;
  }
  return std::string_view(chunk.bytes.data(), chunk.bytes.size());
}

}  // namespace updraft::http

#include "core/http/input.h"

#include <algorithm>

namespace updraft::http {
namespace {

constexpr size_t kHeadReadBytes = 16 << 10;

HeadRead::End EndOf(WaitEnd end, bool begun) {
  if (end == WaitEnd::kInterrupted) return HeadRead::End::kInterrupted;
  return begun ? HeadRead::End::kSlow : HeadRead::End::kTimeout;
}

}  // namespace

Task<HeadRead> Input::ReadHead(TimePoint idle_deadline, Nanos head_timeout) {
  HeadScanner scanner;
  TimePoint deadline = idle_deadline;
  if (!has_unread()) kept_ = std::string();  // idle connections hold no memory
  bool begun = false;
  while (true) {
    if (has_unread()) {
      const HeadRead read = TakeHead(scanner);
      if (read.end != HeadRead::End::kCut) co_return read;
      if (!begun && head_timeout != Nanos::max()) deadline = stream_.loop().Now() + head_timeout;
      begun = true;
    }
    const WaitEnd wait = co_await stream_.Readable(deadline);
    if (wait != WaitEnd::kReady) co_return HeadRead{EndOf(wait, begun), {}, {}};
    if (has_unread()) VacateScratch();
    const std::span<char> scratch = TakeScratch(this).first(kHeadReadBytes);
    const IoResult io = stream_.Read(scratch);
    if (io.state == IoState::kBlocked) continue;
    if (io.state != IoState::kOk) co_return HeadRead{begun ? HeadRead::End::kCut : HeadRead::End::kClosed, {}, {}};
    Append(scratch.first(io.bytes));
  }
}

HeadRead Input::TakeHead(HeadScanner& scanner) {
  const std::string_view bytes(unread_.data(), unread_.size());
  const size_t size = scanner.Scan(bytes);
  if (size > 0) {
    unread_ = unread_.subspan(size);
    return {HeadRead::End::kHead, bytes.substr(0, size), {}};
  }
  if (scanner.refusal()) return {HeadRead::End::kRefused, {}, scanner.refusal()};
  return {HeadRead::End::kCut, {}, {}};
}

void Input::VacateScratch() {
  const bool in_kept = unread_.data() >= kept_.data() && unread_.data() < kept_.data() + kept_.size();
  if (unread_.empty() || in_kept) return;
  kept_.assign(unread_.data(), unread_.size());
  unread_ = kept_;
}

void Input::Append(std::span<char> bytes) {
  if (unread_.empty()) {
    unread_ = bytes;
    return;
  }
  const auto at = static_cast<size_t>(unread_.data() - kept_.data());
  kept_.append(bytes.data(), bytes.size());
  unread_ = std::span(kept_).subspan(at);
}

Task<Input::Chunk> Input::Read(uint64_t bytes_max, TimePoint deadline) {
  while (!has_unread()) {
    const WaitEnd wait = co_await stream_.Readable(deadline);
    if (wait == WaitEnd::kTimeout) co_return Chunk{{}, Chunk::End::kTimeout};
    if (wait == WaitEnd::kInterrupted) co_return Chunk{{}, Chunk::End::kInterrupted};
    const std::span<char> scratch = TakeScratch(this);
    const IoResult io = stream_.Read(scratch.first(std::min<uint64_t>(bytes_max, scratch.size())));
    if (io.state == IoState::kEnd) co_return Chunk{{}, Chunk::End::kEnd};
    if (io.state == IoState::kBroken) co_return Chunk{{}, Chunk::End::kBroken};
    unread_ = scratch.first(io.bytes);
  }
  const size_t count = std::min<uint64_t>(bytes_max, unread_.size());
  const std::span<char> bytes = unread_.first(count);
  unread_ = unread_.subspan(count);
  co_return Chunk{bytes, Chunk::End::kOk};
}

void Input::Return(size_t count) { unread_ = {unread_.data() - count, unread_.size() + count}; }

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

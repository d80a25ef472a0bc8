#include "core/http/input.h"

#include <algorithm>

namespace updraft::http {
namespace {

constexpr size_t kHeadReadBytes = 16 << 10;

HeadRead::End EndOf(WaitEnd end, bool begun) {
  if (end == WaitEnd::kInterrupted) return HeadRead::End::kInterrupted;
  return begun ? HeadRead::End::kSlow : HeadRead::End::kTimeout;
}

Error WaitError(WaitEnd end) {
  if (end == WaitEnd::kTimeout)
    return {Code::kDeadlineExceeded, "no more of the body came in time"};
  return {Code::kCancelled, "interrupted"};
}

}  // namespace

HeadReading::HeadReading(Input& input, TimePoint idle_deadline, Nanos head_timeout)
    : input_(input), deadline_(idle_deadline), head_timeout_(head_timeout) {
  if (!input_.has_unread()) {
    input_.ReleaseKept();  // idle connections hold no memory
    return;
  }
  ended_ = input_.ScanHead(scanner_, read_);
  if (!ended_) Begin();
}

// The head's first byte is there.
void HeadReading::Begin() {
  begun_ = true;
  if (head_timeout_ != Nanos::max()) deadline_ = input_.stream().loop().Now() + head_timeout_;
}

void HeadReading::GoOn(WaitEnd wait) {
  if (wait != WaitEnd::kReady) return End(EndOf(wait, begun_));
  const IoState state = input_.Fill(kHeadReadBytes);
  if (state == IoState::kEnd || state == IoState::kBroken)
    return End(begun_ ? HeadRead::End::kCut : HeadRead::End::kClosed);
  ended_ = input_.ScanHead(scanner_, read_);
  if (!ended_ && !begun_ && input_.has_unread()) Begin();
}

void HeadReading::End(HeadRead::End end) {
  read_.end = end;
  ended_ = true;
}

bool Input::ScanHead(HeadScanner& scanner, HeadRead& read) {
  const std::string_view bytes(unread_.data(), unread_.size());
  const size_t size = scanner.Scan(bytes);
  if (size > 0) {
    unread_ = unread_.subspan(size);
    read.end = HeadRead::End::kHead;
    read.head = bytes.substr(0, size);
    return true;
  }
  read.end = HeadRead::End::kRefused;
  read.refusal = scanner.refusal();
  return static_cast<bool>(read.refusal);
}

IoState Input::Fill(uint64_t bytes_max) {
  VacateScratch();
  const std::span<char> scratch = TakeScratch(this);
  const IoResult io = stream_.Read(scratch.first(std::min<uint64_t>(bytes_max, scratch.size())));
  if (io.state != IoState::kOk) return io.state;
  if (unread_.empty()) {
    unread_ = scratch.first(io.bytes);
  } else {
    const auto at = static_cast<size_t>(unread_.data() - kept_.data());
    kept_.append(scratch.data(), io.bytes);
    unread_ = std::span(kept_).subspan(at);
  }
  return IoState::kOk;
}

std::span<char> Input::Take(uint64_t bytes_max) {
  const std::span<char> bytes = unread_.first(std::min<uint64_t>(bytes_max, unread_.size()));
  unread_ = unread_.subspan(bytes.size());
  return bytes;
}

void Input::VacateScratch() {
  if (unread_.empty()) return;
  const bool in_kept =
      unread_.data() >= kept_.data() && unread_.data() < kept_.data() + kept_.size();
  if (in_kept) return;
  kept_.assign(unread_.data(), unread_.size());
  unread_ = kept_;
}

Task<Result<std::string_view>> BodyReader::Read(TimePoint deadline) {
  while (true) {
    std::optional<Result<std::string_view>> piece = TakeBuffered();
    if (piece) co_return *std::move(piece);
    const WaitEnd wait = co_await input_.stream().Readable(deadline);
    if (wait != WaitEnd::kReady) co_return WaitError(wait);
    // What follows the body of known length is left to the kernel.
    const IoState state = input_.Fill(kind_ == BodyFraming::kLength ? left_ : kScratchBytes);
    if (state == IoState::kEnd && kind_ == BodyFraming::kUntilClose) {
      done_ = true;
    } else if (state == IoState::kEnd || state == IoState::kBroken) {
      co_return Error{Code::kUnavailable, "connection closed before the end of the body"};
    }
  }
}

std::optional<Result<std::string_view>> BodyReader::TakeBuffered() {
  while (!done_ && input_.has_unread()) {
    const std::span<char> bytes =
        input_.Take(kind_ == BodyFraming::kLength ? left_ : kScratchBytes);
    Result<std::string_view> piece = Decode(bytes);
    if (!piece || !piece->empty()) return piece;  // else nothing but framing has come
  }
  if (done_) return std::string_view();
  return std::nullopt;
}

Result<std::string_view> BodyReader::Decode(std::span<char> bytes) {
  if (kind_ == BodyFraming::kChunked) {
    const ChunkDecoder::Decoded decoded = chunks_->Decode(bytes);
    if (chunks_->refusal())
      return Error{Code::kInvalidArgument, std::string(chunks_->refusal().reason)};
    done_ = chunks_->done();
    input_.Return(bytes.size() - decoded.consumed);
    return decoded.body;
  }
  if (kind_ == BodyFraming::kLength) {
    left_ -= bytes.size();
    done_ = left_ == 0;
  }
  return std::string_view(bytes.data(), bytes.size());
}

const Headers& BodyReader::trailers() const {
  static const Headers none;
  return chunks_ ? chunks_->trailers() : none;
}

Task<Result<std::string_view>> ReadRaw(Input& input) {
  while (!input.has_unread()) {
    const WaitEnd wait = co_await input.stream().Readable(TimePoint::max());
    if (wait != WaitEnd::kReady) co_return WaitError(wait);
    const IoState state = input.Fill(kScratchBytes);
    if (state == IoState::kEnd) co_return std::string_view();
    if (state == IoState::kBroken) co_return Error{Code::kUnavailable, "connection broken"};
  }
  const std::span<char> bytes = input.Take(kScratchBytes);
  co_return std::string_view(bytes.data(), bytes.size());
}

}  // namespace updraft::http

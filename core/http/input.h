// What has come on a connection: heads, and what lies behind them. Bytes stay in the thread's
// scratch buffer as long as nobody else needs it, so that most are never copied. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/http/chunked.h"
#include "core/http/parser.h"
#include "core/http/scratch.h"
#include "core/http/splice.h"
#include "core/http/stream.h"
#include "core/http/task.h"

namespace updraft::http {

// How an attempt to read a head ended.
struct HeadRead {
  enum class End : uint8_t {
    kHead,
    kClosed,  // before the head's first byte, or it is of no use to answer
    kCut,     // within the head
    kRefused,
    kTimeout,  // nothing came
    kSlow,     // the head began and did not end in time
    kInterrupted,
  };

  End end = End::kClosed;
  std::string_view head;  // with kHead; valid until the next wait or read
  Refusal refusal;        // with kRefused
};

class Input final : private ScratchHolder {
 public:
  explicit Input(Stream& stream) : stream_(stream) {}

  // Reads once, at most `bytes_max` (>= 1), behind what is unread; does not wait.
  IoState Fill(uint64_t bytes_max);
  // Up to `bytes_max` of what is unread. Valid until the next wait or read of any connection, and
  // may be changed in place.
  std::span<char> Take(uint64_t bytes_max);
  // The last `count` bytes of the last Take(), which is still valid, are unread again.
  void Return(size_t count) { unread_ = {unread_.data() - count, unread_.size() + count}; }

  // Gives back the memory that was needed to keep what is read by now.
  void ReleaseKept() {
    if (unread_.empty() && !kept_.empty()) kept_ = std::string();
  }

  bool has_unread() const { return !unread_.empty(); }
  // Something can be read without waiting, be it the end.
  bool ready() const { return has_unread() || stream_.readable(); }
  Stream& stream() const { return stream_; }

 private:
  friend class HeadReading;

  void VacateScratch() override;
  bool ScanHead(HeadScanner& scanner, HeadRead& read);

  Stream& stream_;
  std::span<char> unread_;  // in the thread's scratch buffer, or in kept_
  std::string kept_;
};

// The reading of one head, as steps of whoever waits for it: no coroutine, no frame.
//   HeadReading reading(input, idle_deadline, head_timeout);
//   while (!reading.ended()) reading.GoOn(<wait for the stream until reading.deadline()>);
//   use reading.result()
class HeadReading {
 public:
  // Until `idle_deadline` for the first byte, and from then `head_timeout` for the rest;
  // Nanos::max(): `idle_deadline` is for all of it. `input` must outlive it.
  HeadReading(Input& input, TimePoint idle_deadline, Nanos head_timeout);

  bool ended() const { return ended_; }
  TimePoint deadline() const { return deadline_; }  // of the next wait
  // How that wait has ended. REQUIRES: !ended().
  void GoOn(WaitEnd wait);
  const HeadRead& result() const { return read_; }  // REQUIRES: ended()

 private:
  void Begin();
  void End(HeadRead::End end);

  Input& input_;
  TimePoint deadline_;
  const Nanos head_timeout_;
  HeadScanner scanner_;
  HeadRead read_;
  bool begun_ = false;
  bool ended_ = false;
};

// The body of one message.
class BodyReader {
 public:
  BodyReader(Input& input, Framing framing)
      : input_(input), kind_(framing.body), left_(framing.length), done_(IsEmpty(framing)) {
    if (kind_ == BodyFraming::kChunked) chunks_ = std::make_unique<ChunkDecoder>();
  }

  // The next piece, empty at the end. Errors: kUnavailable (closed or broken before the end),
  // kInvalidArgument (bad framing), kDeadlineExceeded, kCancelled (interrupted).
  Task<Result<std::string_view>> Read(TimePoint deadline);
  // The same, if what has come already has it.
  std::optional<Result<std::string_view>> TakeBuffered();

  bool done() const { return done_; }
  // The rest, when its length is known and nothing of it has been read yet.
  RawBody raw() const {
    if (kind_ != BodyFraming::kLength || input_.has_unread() || !input_.stream().plain()) return {};
    return {&input_.stream(), left_};
  }
  // So many bytes of raw() have been taken past this.
  void TakenPast(uint64_t bytes) {
    left_ -= bytes;
    done_ = left_ == 0;
  }
  // Those that came with a body in chunks. REQUIRES: done(), for them to be complete.
  const Headers& trailers() const;

 private:
  static bool IsEmpty(const Framing& framing) {
    return framing.body == BodyFraming::kNone ||
           (framing.body == BodyFraming::kLength && framing.length == 0);
  }
  Result<std::string_view> Decode(std::span<char> bytes);

  Input& input_;
  const BodyFraming kind_;
  uint64_t left_;
  bool done_;
  std::unique_ptr<ChunkDecoder> chunks_;  // apart, because few bodies need one
};

// What comes next as it is, empty at the end: for tunnels. Errors as BodyReader's.
Task<Result<std::string_view>> ReadRaw(Input& input);

}  // namespace updraft::http

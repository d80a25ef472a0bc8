// The bytes of one connection: the seam between HTTP and what carries it. Reads and writes never
// wait; waiting is separate, so that idle connections hold no buffers. Loop thread only.
#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <cstdint>
#include <span>

#include "core/base/loop.h"
#include "core/base/timer_wheel.h"
#include "core/base/unique_fd.h"
#include "core/http/address.h"

namespace updraft::http {

// Told when the peer closed its side or the connection broke. At most once per stream.
class HangupObserver {
 public:
  virtual void OnHangup() = 0;

 protected:
  ~HangupObserver() = default;
};

enum class IoState : uint8_t {
  kOk,
  kBlocked,  // wait and try again
  kEnd,      // reading only: the peer has closed its side
  kBroken,
};

struct IoResult {
  size_t bytes = 0;
  IoState state = IoState::kOk;
};

enum class WaitEnd : uint8_t {
  kReady,  // worth another try; errors show there
  kTimeout,
  kInterrupted,
};

class Stream : private FdObserver {
 public:
  enum class Socket : uint8_t {
    kConnecting,  // or connected; the loop watches it from now on
    kAccepted,    // what is on it is looked for at once. The loop watches it once there is something to wait for
  };
  // A non-blocking socket.
  Stream(Loop& loop, UniqueFd socket, Socket from = Socket::kConnecting);
  virtual ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  virtual IoResult Read(std::span<char> into);
  // kBlocked: nothing of it counts as written. The next call begins with the same bytes.
  virtual IoResult Write(std::span<const iovec> pieces);
  // What the socket has, whatever the stream makes of it; it stays there. For what comes before the
  // stream's own bytes. `bytes` in Skip(): at most as many as were seen, and 4096.
  IoResult Peek(std::span<char> into);
  void Skip(size_t bytes);
  // Whether the socket carries the stream's bytes as they are.
  virtual bool plain() const { return true; }
  // Moves bytes from the socket into an empty pipe, and from a pipe to the socket; as Read() and Write(). REQUIRES: plain().
  IoResult SpliceInto(int pipe, uint64_t bytes_max);
  IoResult SpliceFrom(int pipe, uint64_t bytes_max);
  // Tells the peer that no more will be written.
  virtual void FinishWriting();
  // Makes the peer see a reset when the stream is destroyed, not an orderly end.
  void ResetOnClose();

  class Wait;
  // One coroutine may wait for each. Ends early when interrupted.
  Wait Readable(TimePoint deadline);
  Wait Writable(TimePoint deadline);
  // The reader's wait for nothing but the others' turn.
  Wait NextTurn();
  // Another coroutine is already waiting to write.
  bool writer_waits() const { return static_cast<bool>(writer_.handle); }

  // Ends waits, those of now and those to come, until Resume(). Never resumes anything inside the
  // call.
  void Interrupt();
  void Resume() { interrupted_ = false; }
  bool interrupted() const { return interrupted_; }

  // Of an accepted socket it is told within kUnwatchedMax.
  void set_hangup_observer(HangupObserver* observer);
  bool readable() const { return readable_; }
  // The peer has sent nothing that was not read, and not closed its side. Asks the kernel when
  // readable().
  bool quiet();
  bool hung_up() const { return hung_up_; }  // the peer closed its side, read to its end or not
  bool broken() const { return broken_; }
  Loop& loop() const { return loop_; }
  int fd() const { return socket_.get(); }

 protected:
  // What the socket carries, whatever the stream makes of it.
  IoResult Receive(std::span<char> into, int flags);
  IoResult SendNow(std::span<const char> bytes);
  // Something can be read although the socket may have nothing more.
  void SetReadable() { readable_ = true; }
  void SetBroken() { broken_ = true; }
  bool writable() const { return writable_; }
  bool resets_on_close() const { return resets_on_close_; }

 private:
  static constexpr uint8_t kReadsInARowMax = 16;
  // Who asks once and is answered sooner is never watched, which saves a tenth of the connection's cost.
  static constexpr Nanos kUnwatchedMax = Millis(5);

  // A direction's waiting coroutine and its deadline. Armed without a coroutine: a deadline that was
  // met, or the time to begin watching.
  struct Waiting final : Timer {
    Waiting(TimerWheel& wheel, Stream& owner) : Timer(wheel), stream(owner) {}
    void OnTimer() override;

    Stream& stream;
    std::coroutine_handle<> handle;
    WaitEnd end = WaitEnd::kReady;
    bool yields = false;  // waits for the others' turn only
  };
  class WakeUp final : public Deferred {
   public:
    explicit WakeUp(Stream& stream) : stream_(stream) {}
    void Run() override { stream_.RunDue(); }

   private:
    Stream& stream_;
  };

  void OnReady(uint32_t events) override;
  IoResult AfterSending(ssize_t count);
  void Watch();
  void RunDue();
  static void Wake(Waiting& waiting, WaitEnd end);

  Loop& loop_;
  UniqueFd socket_;
  HangupObserver* hangup_observer_ = nullptr;
  bool watched_ = false;
  bool readable_ = false;
  bool writable_ = false;
  bool hung_up_ = false;
  bool hangup_due_ = false;  // to be told to the observer
  bool broken_ = false;
  bool resets_on_close_ = false;
  bool interrupted_ = false;
  uint8_t reads_in_a_row_ = 0;
  Waiting reader_;
  Waiting writer_;
  WakeUp wake_up_;
};

class Stream::Wait {
 public:
  Wait(Stream& stream, Waiting& waiting, bool ready, TimePoint deadline)
      : stream_(&stream), waiting_(&waiting), deadline_(deadline), ready_(ready) {}

  bool await_ready() const noexcept { return ready_ || stream_->interrupted_; }
  void await_suspend(std::coroutine_handle<> handle) const {
    if (!stream_->watched_) stream_->Watch();
    waiting_->handle = handle;
    if (deadline_ != TimePoint::max()) {
      waiting_->Set(deadline_);
    } else if (waiting_->armed()) {
      waiting_->Cancel();
    }
  }
  WaitEnd await_resume() const noexcept {
    if (stream_->interrupted_) return WaitEnd::kInterrupted;
    return ready_ ? WaitEnd::kReady : waiting_->end;
  }

 private:
  Stream* stream_;
  Waiting* waiting_;
  TimePoint deadline_;
  bool ready_;
};

inline Stream::Wait Stream::Readable(TimePoint deadline) {
  // A peer that sends faster than we read must not keep the loop to itself.
  reader_.yields = readable_ && ++reads_in_a_row_ == kReadsInARowMax;
  if (!reader_.yields) return {*this, reader_, readable_, deadline};
  return NextTurn();
}
inline Stream::Wait Stream::NextTurn() {
  reader_.yields = true;
  reads_in_a_row_ = 0;
  return {*this, reader_, false, TimePoint::min()};
}
inline Stream::Wait Stream::Writable(TimePoint deadline) {
  return {*this, writer_, writable_, deadline};
}

// A non-blocking socket that is connecting to `address`: wait until it is writable, then ask
// ConnectOutcome(). kUnavailable: refused or unreachable at once; kResourceExhausted: we have no
// descriptor or port left.
Result<UniqueFd> StartConnecting(const SocketAddress& address);
Status ConnectOutcome(int fd);

}  // namespace updraft::http

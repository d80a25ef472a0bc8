// An HTTP/2 connection's frames over a stream of bytes, by nghttp2: what client and server share.
// What a turn of the loop submits goes out together at its end. Loop thread only.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/loop.h"
#include "core/http/input.h"
#include "core/http/task.h"

namespace updraft::http {

class Http2Stream;

struct Http2Limits {
  uint32_t streams_max = 256;           // that the peer may have open at once
  uint32_t stream_window = 256 << 10;   // bytes of a body that may come before anybody asks for them
  uint32_t connection_window = 1 << 20;  // the same for all streams together
};

class Http2Session {
 public:
  enum class Role : uint8_t { kServer, kClient };

  // `input` and its stream must outlive the session.
  Http2Session(Role role, Input& input, const Http2Limits& limits);
  virtual ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  Loop& loop() const { return input_.stream().loop(); }
  nghttp2_session* raw() const { return session_; }
  Http2Stream* FindStream(int32_t id) const;
  // The stream goes: nothing more is told to it.
  void Forget(const Http2Stream& stream);

  // Frames what was submitted, as far as windows and the output's bound allow; it goes out at the end
  // of the turn.
  void Pack();
  // Nothing more can come of the connection: it broke, or both sides have said that it is over.
  bool over() const;
  bool broken() const { return broken_; }

 protected:
  // Handles bytes as they came. False: the session is of no further use, but for what it still has to
  // say.
  bool Receive(std::string_view bytes);
  // Reads once; false: nothing more will come. The second handles what was read, the first leaves it to the input.
  bool FillOnce();
  bool ReadOnce();
  // From now on what is packed goes out. Client: once connected.
  void OpenOutput();
  // What was packed goes out now, as far as the stream takes it.
  void FlushNow() { Flush(); }
  bool writing() const { return writing_; }
  // Nothing more goes out.
  void BreakOff() { broken_ = true; }

  Input& input() const { return input_; }
  Stream& stream() const { return input_.stream(); }

  // ---- called from within Receive() and Pack(): not to call either.

  // The peer opens a stream. Null: it is refused.
  virtual Http2Stream* OnNewStream(int32_t id) = 0;
  // The peer broke a rule on a stream, which is reset.
  virtual void OnInvalidFrame() {}
  virtual void OnPingAck() {}
  // What had to wait for the stream to take it is out.
  virtual void OnWritten() {}
  // A request that was submitted can never be sent. Client only.
  virtual void OnNotSent(int32_t /*id*/) {}

 private:
  struct Callbacks;

  class FlushLater final : public Deferred {
   public:
    explicit FlushLater(Http2Session& session) : session_(session) {}
    void Run() override { session_.Flush(); }

   private:
    Http2Session& session_;
  };

  void Flush();
  Task<void> WriteBlocked();
  void DropOutput();

  Input& input_;
  nghttp2_session* session_ = nullptr;
  Http2Stream* incoming_ = nullptr;  // whose fields are coming
  std::string output_;     // packed and not yet written
  size_t output_at_ = 0;   // of which this much is written
  bool output_open_ = false;
  bool receiving_ = false;
  bool writing_ = false;   // a coroutine waits to write the rest
  bool broken_ = false;
  FlushLater flush_later_{*this};
  Scope scope_;            // of that coroutine
};

}  // namespace updraft::http

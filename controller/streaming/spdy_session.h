// The streams that a client opens over a carrier, as SPDY/3.1 has them. One coroutine reads. Loop
// thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "controller/streaming/carrier.h"
#include "controller/streaming/spdy_frames.h"

namespace updraft::controller {

// For a carrier to ask with whether its client is still there: a server's pings have even numbers.
inline std::string SpdyKeepalive() { return SpdyWriter::Ping(2); }

class SpdySession {
 public:
  explicit SpdySession(Carrier& carrier) : carrier_(carrier) {}

  // The next kOpen, kData or kReset; what else comes is dealt with. Errors: see Carrier::Read();
  // kInvalidArgument: it is not SPDY/3.1.
  http::Task<Result<SpdyEvent>> Next();

  // Every kOpen is to be answered with one of these.
  void Accept(uint32_t stream) { carrier_.Put(writer_.Reply(stream)); }
  void Refuse(uint32_t stream) { carrier_.Put(SpdyWriter::Refuse(stream)); }

  // Waits while the client does not read. kUnavailable: it is gone.
  http::Task<Status> Write(uint32_t stream, std::string data);
  void End(uint32_t stream) { carrier_.Put(SpdyWriter::End(stream)); }

 private:
  Carrier& carrier_;
  SpdyReader reader_;
  SpdyWriter writer_;
};

}  // namespace updraft::controller

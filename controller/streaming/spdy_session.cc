#include "controller/streaming/spdy_session.h"

#include <utility>

namespace updraft::controller {

http::Task<Result<SpdyEvent>> SpdySession::Next() {
  while (true) {
    Result<std::optional<SpdyEvent>> event = reader_.Next();
    if (!event) co_return event.error();
    if (!*event) {
      http::Task<Result<std::string>> reading = carrier_.Read();
      const Result<std::string> bytes = co_await reading;
      if (!bytes) co_return bytes.error();
      reader_.Feed(*bytes);
      continue;
    }
    const SpdyEvent::Kind kind = (*event)->kind;
    if (kind == SpdyEvent::Kind::kPing && (*event)->value % 2 == 1)
      carrier_.Put(SpdyWriter::Ping((*event)->value));
    if (kind == SpdyEvent::Kind::kOpen || kind == SpdyEvent::Kind::kData ||
        kind == SpdyEvent::Kind::kReset) {
      co_return **std::move(event);
    }
  }
}

http::Task<Status> SpdySession::Write(uint32_t stream, std::string data) {
  carrier_.Put(SpdyWriter::Data(stream, data));
  return carrier_.Room();
}

}  // namespace updraft::controller

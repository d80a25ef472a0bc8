// The standard streams of a remote process as its client carries them, whatever the transport. Loop
// thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controller/streaming/carrier.h"
#include "controller/streaming/spdy_session.h"

namespace updraft::controller {

// Numbered as on WebSockets.
enum class Channel : uint8_t { kInput = 0, kOutput = 1, kError = 2, kStatus = 3, kSize = 4 };

struct ChannelEvent {
  Channel channel = Channel::kInput;
  std::string data = {};
  bool end = false;  // nothing more comes on it
};

class ClientChannels {
 public:
  virtual ~ClientChannels() = default;

  // Waits for the client to have opened what it has asked for.
  virtual http::Task<Status> Open() = 0;
  // What the client sends. One coroutine. Errors: see Carrier::Read().
  virtual http::Task<Result<ChannelEvent>> Next() = 0;
  // Waits while the client does not read. kUnavailable: it is gone.
  virtual http::Task<Status> Write(Channel channel, std::string data) = 0;
  // Nothing more comes on any.
  virtual void End() = 0;
};

// What of a process a client has asked for.
struct WantedStreams {
  bool input = false;
  bool output = false;
  bool error = false;
  bool terminal = false;
};

// SPDY: one stream for each channel, named by the header "streamtype".
std::unique_ptr<ClientChannels> SpdyChannels(Carrier& carrier, const WantedStreams& wanted);

// WebSocket: each message begins with its channel's number, as a byte or, with `base64`, as a digit
// before base64. The message 255, N says that channel N is at its end.
std::unique_ptr<ClientChannels> WebSocketChannels(Carrier& carrier, const WantedStreams& wanted,
                                                  bool base64);

}  // namespace updraft::controller

#include "controller/streaming/client_channels.h"

#include <optional>
#include <utility>

namespace updraft::controller {
namespace {

constexpr uint8_t kEndOf = 255;

struct Named {
  Channel channel;
  std::string_view name;
};
constexpr Named kStreamTypes[] = {{Channel::kInput, "stdin"},
                                  {Channel::kOutput, "stdout"},
                                  {Channel::kError, "stderr"},
                                  {Channel::kStatus, "error"},
                                  {Channel::kSize, "resize"}};

bool IsWanted(const WantedStreams& wanted, Channel channel) {
  switch (channel) {
    case Channel::kInput:
      return wanted.input;
    case Channel::kOutput:
      return wanted.output;
    case Channel::kError:
      return wanted.error && !wanted.terminal;
    case Channel::kStatus:
      return true;
    case Channel::kSize:
      return wanted.terminal;
  }
  return false;
}

class OverSpdy final : public ClientChannels {
 public:
  OverSpdy(Carrier& carrier, const WantedStreams& wanted) : session_(carrier), wanted_(wanted) {}

  http::Task<Status> Open() override {
    while (!AllOpen()) {
      http::Task<Result<SpdyEvent>> reading = session_.Next();
      Result<SpdyEvent> event = co_await reading;
      if (!event) co_return event.error();
      if (event->kind == SpdyEvent::Kind::kOpen) {
        OnOpen(*event);
      } else if (const std::optional<ChannelEvent> early = Translate(std::move(*event))) {
        early_.push_back(*early);
        if (early_.size() > kEarlyMax)
          co_return Error{Code::kInvalidArgument, "the client does not open its streams"};
      }
    }
    co_return Ok();
  }

  http::Task<Result<ChannelEvent>> Next() override {
    while (true) {
      if (!early_.empty()) {
        ChannelEvent event = std::move(early_.front());
        early_.pop_front();
        co_return event;
      }
      http::Task<Result<SpdyEvent>> reading = session_.Next();
      Result<SpdyEvent> event = co_await reading;
      if (!event) co_return event.error();
      if (event->kind == SpdyEvent::Kind::kOpen) {
        session_.Refuse(event->stream);
      } else if (std::optional<ChannelEvent> translated = Translate(std::move(*event))) {
        co_return *std::move(translated);
      }
    }
  }

  http::Task<Status> Write(Channel channel, std::string data) override {
    const auto it = streams_.find(channel);
    if (it == streams_.end()) co_return Ok();
    http::Task<Status> writing = session_.Write(it->second, std::move(data));
    const Status written = co_await writing;
    co_return written;
  }

  void End() override {
    for (const auto& [channel, stream] : streams_) session_.End(stream);
  }

 private:
  static constexpr size_t kEarlyMax = 64;

  bool AllOpen() const {
    for (const Named& type : kStreamTypes) {
      if (IsWanted(wanted_, type.channel) && !streams_.contains(type.channel)) return false;
    }
    return true;
  }

  void OnOpen(const SpdyEvent& event) {
    for (const auto& [name, value] : event.headers) {
      if (name != "streamtype") continue;
      for (const Named& type : kStreamTypes) {
        if (type.name != value || !IsWanted(wanted_, type.channel) ||
            streams_.contains(type.channel))
          continue;
        streams_[type.channel] = event.stream;
        return session_.Accept(event.stream);
      }
    }
    session_.Refuse(event.stream);
  }

  std::optional<ChannelEvent> Translate(SpdyEvent event) const {
    for (const auto& [channel, stream] : streams_) {
      if (stream != event.stream) continue;
      const bool end = event.last || event.kind == SpdyEvent::Kind::kReset;
      return ChannelEvent{.channel = channel, .data = std::move(event.data), .end = end};
    }
    return std::nullopt;
  }

  SpdySession session_;
  const WantedStreams wanted_;
  std::map<Channel, uint32_t> streams_;
  std::deque<ChannelEvent> early_;  // of streams that were opened before others
};

class OverWebSocket final : public ClientChannels {
 public:
  OverWebSocket(Carrier& carrier, const WantedStreams& wanted, bool base64)
      : carrier_(carrier), wanted_(wanted), base64_(base64) {}

  http::Task<Status> Open() override {
    // Some clients wait for a first message as the sign that all is well.
    const Channel first = wanted_.output  ? Channel::kOutput
                          : wanted_.error ? Channel::kError
                                          : Channel::kStatus;
    carrier_.Put(Message(first, ""));
    co_return Ok();
  }

  http::Task<Result<ChannelEvent>> Next() override {
    while (true) {
      http::Task<Result<std::string>> reading = carrier_.Read();
      const Result<std::string> message = co_await reading;
      if (!message) co_return message.error();
      std::optional<ChannelEvent> event = Parse(*message);
      if (event) co_return *std::move(event);
    }
  }

  http::Task<Status> Write(Channel channel, std::string data) override {
    carrier_.Put(Message(channel, data));
    return carrier_.Room();
  }

  void End() override {}  // the WebSocket's end says so

 private:
  std::string Message(Channel channel, std::string_view data) const {
    const auto number = static_cast<char>(channel);
    if (base64_) return std::string(1, static_cast<char>('0' + number)) + ToBase64(data);
    std::string message(1, number);
    message += data;
    return message;
  }

  // nullopt: nothing that matters.
  std::optional<ChannelEvent> Parse(const std::string& message) const {
    if (message.empty()) return std::nullopt;
    auto number = static_cast<uint8_t>(message[0]);
    std::optional<std::string> data = message.substr(1);
    if (base64_) {
      number = static_cast<uint8_t>(number - '0');
      data = FromBase64(*data);
    }
    if (!data) return std::nullopt;
    const bool end = number == kEndOf && data->size() == 1;
    if (end) number = static_cast<uint8_t>((*data)[0]);
    if (number != static_cast<uint8_t>(Channel::kInput) &&
        number != static_cast<uint8_t>(Channel::kSize))
      return std::nullopt;
    return ChannelEvent{
        .channel = static_cast<Channel>(number), .data = end ? "" : *std::move(data), .end = end};
  }

  Carrier& carrier_;
  const WantedStreams wanted_;
  const bool base64_;
};

}  // namespace

std::unique_ptr<ClientChannels> SpdyChannels(Carrier& carrier, const WantedStreams& wanted) {
  return std::make_unique<OverSpdy>(carrier, wanted);
}

std::unique_ptr<ClientChannels> WebSocketChannels(Carrier& carrier, const WantedStreams& wanted,
                                                  bool base64) {
  return std::make_unique<OverWebSocket>(carrier, wanted, base64);
}

}  // namespace updraft::controller

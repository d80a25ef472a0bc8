#include "controller/streaming/exec_pump.h"

#include <utility>

#include "controller/streaming/exit_status.h"
#include "controller/streaming/terminal_sizes.h"

namespace updraft::controller {

const std::vector<std::string_view> kExecOverSpdy = {"v4.channel.k8s.io"};
const std::vector<std::string_view> kExecOverWebSocket = {"v5.channel.k8s.io", "v4.channel.k8s.io",
                                                          "v4.base64.channel.k8s.io"};

namespace {

constexpr std::string_view kBase64 = "v4.base64.channel.k8s.io";
constexpr Nanos kOpenPatience = Seconds(30);  // for the client's streams
constexpr Nanos kGoodbyePatience =
    Seconds(5);  // for the client to close, so that it reads all before it hears a reset

// Cuts the client off when it has not done what it has to in time.
class Deadline {
 public:
  Deadline(Carrier& carrier, Nanos patience)
      : loop_(carrier.loop()), timer_(loop_.After(patience, [&carrier] { carrier.Cut(); })) {}
  ~Deadline() { loop_.Cancel(timer_); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

 private:
  Loop& loop_;
  const Loop::TimerId timer_;
};

struct Pump {
  Carrier& carrier;
  ClientChannels& channels;
  ExecSession& session;
  TerminalSizes sizes = {};
  bool input_over = false;
  http::Signal input_ended;
};

// What the client sends goes to the process; what the process no longer takes is dropped.
http::Task<void> Deliver(Pump* pump, ChannelEvent event) {
  if (event.channel == Channel::kSize) {
    for (const ClientTerminalSize& size : pump->sizes.Feed(event.data)) {
      http::Task<Status> resizing = pump->session.Resize(size.columns, size.rows);
      [[maybe_unused]] const Status resized = co_await resizing;
    }
  }
  if (event.channel != Channel::kInput) co_return;
  if (!event.data.empty()) {
    http::Task<Status> writing = pump->session.Write(std::move(event.data));
    [[maybe_unused]] const Status written = co_await writing;
  }
  if (event.end) {
    http::Task<Status> ending = pump->session.EndInput();
    [[maybe_unused]] const Status ended = co_await ending;
  }
}

// Until the client is gone.
http::Task<void> PumpInput(Pump* pump) {
  while (true) {
    http::Task<Result<ChannelEvent>> reading = pump->channels.Next();
    Result<ChannelEvent> event = co_await reading;
    if (!event) break;
    http::Task<void> delivering = Deliver(pump, *std::move(event));
    co_await delivering;
  }
  pump->session.Cancel();
  pump->input_over = true;
  pump->input_ended.Notify();
}

// Until the process has ended: what is to be said of that.
http::Task<std::string> PumpOutput(Pump* pump) {
  while (true) {
    http::Task<Result<ExecEvent>> waiting = pump->session.Next();
    Result<ExecEvent> event = co_await waiting;
    if (!event) co_return StatusOfError(event.error());
    if (event->kind == ExecEvent::Kind::kExit) co_return StatusOfExit(event->exit_code);
    if (event->kind == ExecEvent::Kind::kStarted) continue;
    const Channel channel =
        event->kind == ExecEvent::Kind::kOutput ? Channel::kOutput : Channel::kError;
    http::Task<Status> writing = pump->channels.Write(channel, std::move(event->data));
    const Status written = co_await writing;
    if (!written) co_return StatusOfError(written.error());
  }
}

http::Task<void> SayGoodbye(Pump* pump, std::string status) {
  http::Task<Status> writing = pump->channels.Write(Channel::kStatus, std::move(status));
  [[maybe_unused]] const Status written = co_await writing;
  pump->channels.End();
  http::Task<void> closing = pump->carrier.Close();
  co_await closing;
  pump->session.Cancel();
  const Deadline deadline(pump->carrier, kGoodbyePatience);
  while (!pump->input_over) {
    http::Task<void> waiting = pump->input_ended.Wait();
    co_await waiting;
  }
}

http::Task<void> PumpBoth(Carrier* carrier, ClientChannels* channels, ExecSession* session) {
  Pump pump{.carrier = *carrier,
            .channels = *channels,
            .session = *session,
            .input_ended = http::Signal(carrier->loop())};
  http::Scope scope;
  scope.Spawn(PumpInput(&pump));
  http::Task<std::string> pumping = PumpOutput(&pump);
  std::string status = co_await pumping;
  http::Task<void> parting = SayGoodbye(&pump, std::move(status));
  co_await parting;
}

// In the place of a process that could not be made.
class NoProcess final : public ExecSession {
 public:
  explicit NoProcess(Error why) : why_(std::move(why)) {}
  http::Task<Result<ExecEvent>> Next() override { co_return why_; }
  http::Task<Status> Write(std::string) override { co_return why_; }
  http::Task<Status> EndInput() override { co_return why_; }
  http::Task<Status> Resize(uint32_t, uint32_t) override { co_return why_; }
  void Cancel() override {}

 private:
  const Error why_;
};

}  // namespace

http::Task<void> PumpExec(http::Exchange* exchange, Upgrade upgrade, WantedStreams wanted,
                          StartExec start) {
  const bool web_socket = upgrade.transport == Transport::kWebSocket;
  const bool base64 = upgrade.protocol == kBase64;
  http::Task<Status> starting = exchange->StartResponse(101, std::move(upgrade.answer));
  const Status answered = co_await starting;
  if (!answered) co_return;
  const Carrier::Kind kind = !web_socket ? Carrier::Kind::kBytes
                             : base64    ? Carrier::Kind::kTextMessages
                                         : Carrier::Kind::kBinaryMessages;
  Carrier carrier(*exchange, kind, SpdyKeepalive());
  const std::unique_ptr<ClientChannels> channels =
      web_socket ? WebSocketChannels(carrier, wanted, base64) : SpdyChannels(carrier, wanted);
  http::Scope scope;
  scope.Spawn(carrier.WriteQueued());
  Status opened = Ok();
  {
    const Deadline deadline(carrier, kOpenPatience);
    http::Task<Status> opening = channels->Open();
    opened = co_await opening;
  }
  if (!opened) {
    http::Task<void> closing = carrier.Close();
    co_await closing;
    co_return;
  }
  Result<std::unique_ptr<ExecSession>> started = start();
  std::unique_ptr<ExecSession> session;
  if (started) {
    session = *std::move(started);
  } else {
    session = std::make_unique<NoProcess>(started.error());
  }
  // It may be waiting for the process when its client goes.
  exchange->OnClientGone([running = session.get()] { running->Cancel(); });
  http::Task<void> pumping = PumpBoth(&carrier, channels.get(), session.get());
  co_await pumping;
  exchange->OnClientGone([] {});
}

}  // namespace updraft::controller

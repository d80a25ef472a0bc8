#include "node-agent/containerd/event_feed.h"

#include <unistd.h>

#include "core/base/backoff.h"
#include "github.com/containerd/containerd/api/events/task.pb.h"
#include "github.com/containerd/containerd/api/services/events/v1/events.grpc.pb.h"

namespace updraft::node_agent {
namespace {

namespace events = ::containerd::services::events::v1;
namespace payload = ::containerd::events;

constexpr char kMarkerTopic[] = "/updraft/subscribed";
// containerd does not say when a subscription has taken effect: an event of our own that comes back does.
constexpr Nanos kMarkerRepeat = Millis(20);
constexpr BackoffPolicy kReconnect = {.first = Millis(50), .most = Seconds(1)};

WallTime EventTime(const google::protobuf::Timestamp& time) {
  return FromUnixNanos(time.seconds() * 1'000'000'000 + time.nanos());
}

// Any's type URL in containerd's events is the bare message name.
template <typename Message>
bool Decode(const google::protobuf::Any& any, Message& message) {
  return message.ParseFromString(any.value());
}

}  // namespace

struct EventFeed::Stubs {
  std::unique_ptr<events::Events::Stub> events;
};

EventFeed::EventFeed(ContainerdClient& client, std::string containerd_namespace, EventFeedCallbacks callbacks)
    : client_(client),
      loop_(client.loop()),
      namespace_(std::move(containerd_namespace)),
      callbacks_(std::move(callbacks)),
      stubs_(new Stubs{events::Events::NewStub(client.channel())}) {}

EventFeed::~EventFeed() {
  *alive_ = false;
  loop_.Cancel(marker_timer_);
  loop_.Cancel(reconnect_timer_);
  client_.Cancel(subscription_);
}

void EventFeed::Start() { Subscribe(); }

void EventFeed::Subscribe() {
  ++generation_;
  events::SubscribeRequest request;
  for (const std::string topic : {"/tasks/exit", "/tasks/oom", kMarkerTopic}) {
    request.add_filters("namespace==" + namespace_ + ",topic==\"" + topic + "\"");
  }
  subscription_ = client_.Stream(
      stubs_->events->async(), &events::Events::StubInterface::async_interface::Subscribe, std::move(request),
      {.deadline = Nanos(0)},
      [this, alive = alive_](const events::Envelope& envelope) {
        if (*alive) OnEnvelope(envelope);
      },
      [this, alive = alive_](const Status& status) {
        if (*alive) OnEnded(status);
      });
  PublishMarker();
}

void EventFeed::PublishMarker() {
  payload::TaskPaused marker;
  marker.set_container_id(std::to_string(getpid()) + "-" + std::to_string(generation_));
  events::PublishRequest request;
  request.set_topic(kMarkerTopic);
  request.mutable_event()->set_type_url("containerd.events.TaskPaused");
  request.mutable_event()->set_value(marker.SerializeAsString());
  client_.Call(stubs_->events->async(), &events::Events::StubInterface::async_interface::Publish, std::move(request),
               {.deadline = Seconds(5)}, [this, alive = alive_, generation = generation_](const auto&) {
                 if (!*alive || connected_ || subscription_ == 0 || generation != generation_) return;
                 marker_timer_ = loop_.After(kMarkerRepeat, [this] { PublishMarker(); });
               });
}

void EventFeed::OnEnvelope(const events::Envelope& envelope) {
  if (envelope.topic() == "/tasks/exit") {
    payload::TaskExit exit;
    if (!Decode(envelope.event(), exit)) return;
    const bool own_process = exit.id() == exit.container_id();
    callbacks_.exit({.container_id = exit.container_id(),
                     .exec_id = own_process ? "" : exit.id(),
                     .exit_status = exit.exit_status(),
                     .exited_at = EventTime(exit.exited_at())});
  } else if (envelope.topic() == "/tasks/oom") {
    payload::TaskOOM oom;
    if (Decode(envelope.event(), oom)) callbacks_.out_of_memory(oom.container_id());
  } else if (envelope.topic() == kMarkerTopic && !connected_) {
    payload::TaskPaused marker;
    const std::string ours = std::to_string(getpid()) + "-" + std::to_string(generation_);
    if (!Decode(envelope.event(), marker) || marker.container_id() != ours) return;
    connected_ = true;
    failures_ = 0;
    loop_.Cancel(marker_timer_);
    callbacks_.connected();
  }
}

void EventFeed::OnEnded(const Status& status) {
  connected_ = false;
  subscription_ = 0;
  ++failures_;
  callbacks_.lost(status ? Error{Code::kUnavailable, "containerd ended the stream of events"} : status.error());
  loop_.Cancel(marker_timer_);
  reconnect_timer_ = loop_.After(BackoffDelay(kReconnect, failures_, 1.0), [this] { Subscribe(); });
}

}  // namespace updraft::node_agent

// containerd's task events, from the moment on that the subscription is known to hold; reconnects for ever.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/loop.h"
#include "node-agent/containerd/client.h"
#include "node-agent/containerd/container_runtime.h"

namespace containerd::services::events::v1 {
class Envelope;
}

namespace updraft::node_agent {

struct EventFeedCallbacks {
  std::function<void()> connected;                // every later event will be told
  std::function<void(const Error& why)> lost;     // told once for each loss, also while it was not connected yet
  std::function<void(const TaskExit&)> exit;
  std::function<void(const std::string& container_id)> out_of_memory;
};

// Loop thread only.
class EventFeed {
 public:
  EventFeed(ContainerdClient& client, std::string containerd_namespace, EventFeedCallbacks callbacks);
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  void Start();

 private:
  struct Stubs;

  void Subscribe();
  void PublishMarker();
  void OnEnvelope(const containerd::services::events::v1::Envelope& envelope);
  void OnEnded(const Status& status);

  ContainerdClient& client_;
  Loop& loop_;
  const std::string namespace_;
  const EventFeedCallbacks callbacks_;
  const std::unique_ptr<Stubs> stubs_;

  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // callbacks of calls may outlive us
  ContainerdClient::CallId subscription_ = 0;
  uint64_t generation_ = 0;   // of the subscription; stands in its marker
  bool connected_ = false;
  int failures_ = 0;
  Loop::TimerId marker_timer_ = 0;     // while subscribed and not connected
  Loop::TimerId reconnect_timer_ = 0;  // while not subscribed
};

}  // namespace updraft::node_agent

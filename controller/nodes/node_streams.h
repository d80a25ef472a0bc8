// Which stream speaks for which node. Pure; streams are known by number.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "controller/instances/fleet.h"

namespace updraft::controller {

class NodeStreams {
 public:
  using Stream = uint64_t;  // never 0

  void Open(Stream stream) { speakers_[stream]; }

  // The stream speaks for the node from now on. The one that did so before, if it has not ended:
  // one that the agent gave up, of which nothing more is to be heard.
  std::optional<Stream> Hello(Stream stream, const NodeName& node) {
    speakers_[stream] = node;
    Stream& newest = streams_[node];
    const Stream before = std::exchange(newest, stream);
    return before == 0 || before == stream ? std::nullopt : std::optional(before);
  }

  // The node, when nothing speaks for it any more.
  std::optional<NodeName> End(Stream stream) {
    const NodeName node = std::exchange(speakers_[stream], {});
    speakers_.erase(stream);
    const auto it = streams_.find(node);
    if (it == streams_.end() || it->second != stream) return std::nullopt;
    streams_.erase(it);
    return node;
  }

  // Empty: has not said hello.
  const NodeName& NodeOf(Stream stream) { return speakers_[stream]; }
  // 0: there is none.
  Stream StreamOf(const NodeName& node) const {
    const auto it = streams_.find(node);
    return it == streams_.end() ? 0 : it->second;
  }
  const std::map<NodeName, Stream>& newest() const { return streams_; }

 private:
  std::map<Stream, NodeName> speakers_;
  std::map<NodeName, Stream> streams_;  // the newest of each node
};

// Tells the fleet what a node said after its hello.
inline void Hear(Fleet& fleet, const NodeName& node, NodeStreams::Stream stream,
                 const v1::NodeMessage& message, Moment at) {
  switch (message.message_case()) {
    case v1::NodeMessage::kInventory:
      return fleet.OnInventory(node, stream, message.inventory(), at);
    case v1::NodeMessage::kInstance:
      return fleet.OnReport(node, stream, message.instance(), at);
    case v1::NodeMessage::kStatus:
      return fleet.OnNodeStatus(node, stream, message.status(), at);
    case v1::NodeMessage::kUsage:
      return fleet.OnUsage(node, stream, message.usage(), at);
    default:
      return;
  }
}

}  // namespace updraft::controller

// One watch of an etcd store: a stream that is opened again wherever it breaks, from the revision
// after the last one that was told, so that nothing is told twice and nothing left out.
//
// Only so much is read ahead of the loop: a slow one holds up etcd, not memory.
//
// Loop thread only, but for what gRPC calls.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "core/store/etcd_client.h"
#include "core/store/etcd_wire.h"
#include "core/store/store.h"

namespace updraft::store {

class EtcdWatch : public std::enable_shared_from_this<EtcdWatch> {
 public:
  // Both on the loop. `on_told`: told() has grown. After `on_end` there is nothing more.
  struct Observer {
    std::function<void(const EventBatch&)> on_events = {};
    std::function<void()> on_told = {};
    std::function<void(const Error&)> on_end = {};
  };

  // `client` and `keys` must outlive gRPC's use of it: until the client is closed.
  EtcdWatch(EtcdClient& client, const EtcdKeys& keys, Post post, KeyRange range,
            int64_t from_revision, Observer observer);

  void Begin();
  void Abandon();  // nothing is told after it

  // All changes up to it have been told.
  int64_t told() const { return told_; }

 private:
  class Stream;

  void Connect();
  void Open(EtcdClient::Endpoint& endpoint, EtcdClient::Turn turn);
  void ConnectLater();
  void OnResponse(const etcdserverpb::WatchResponse& response);
  void OnEvents(const etcdserverpb::WatchResponse& response);
  void OnStreamEnd();
  void End(const Error& error);
  bool over();

  EtcdClient& client_;
  const EtcdKeys& keys_;
  const Post post_;
  const KeyRange range_;
  Observer observer_;

  // Loop thread only.
  int64_t told_;
  uint64_t cluster_ = 0;     // 0: not known yet
  int failures_ = 0;         // streams in a row that never watched
  std::vector<Event> held_;  // of a revision that may not have come whole

  // Guarded by mutex_.
  std::mutex mutex_;
  bool over_ = false;
  std::shared_ptr<Stream> stream_;
};

}  // namespace updraft::store

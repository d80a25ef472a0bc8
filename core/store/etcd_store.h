// A Store in an etcd cluster (v3), for several machines.
//
// Transactions that share no key are sent at once, so that the rate of writes is not the rate of
// round trips; the others follow one another. Nothing is kept here but what is under way: lists are
// read from etcd in pages of one revision, changes come through its watches.
//
// No answer to a transaction (kUnavailable) leaves open whether it happened; conditions make it
// safe to ask again. Calls go from one endpoint to the next; watches resume where they were.
//
// Keys lie in etcd as they are named here (with a prefix, if one is set), so that etcdctl finds
// them: /updraft/objects/serving.knative.dev/services/NAMESPACE/NAME. Compaction is of the whole
// etcd.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/store/etcd_client.h"
#include "core/store/etcd_options.h"
#include "core/store/etcd_watch.h"
#include "core/store/etcd_wire.h"
#include "core/store/store.h"
#include "core/store/write_order.h"

namespace updraft::store {

class EtcdStore : public Store {
 public:
  // Returns at once, with etcd there or not. `post` is called from gRPC's threads.
  // kFailedPrecondition: a certificate cannot be read.
  static Result<std::unique_ptr<EtcdStore>> Open(EtcdOptions options, Post post);
  // Waits for what was to be committed, as long as that may take: see `patience`.
  ~EtcdStore() override;

  void Commit(Transaction transaction, Done<Outcome> done) override;
  void Range(RangeRequest request, Done<RangeResult> done) override;
  WatchId Watch(KeyRange keys, int64_t from_revision, WatchCallbacks callbacks) override;
  void Unwatch(WatchId id) override;
  void Compact(int64_t revision, Done<std::monostate> done) override;
  void ReadBounds(Done<Bounds> done) override;

 private:
  struct Write {
    Transaction transaction = {};
    Done<Outcome> done = {};
  };
  struct RangeRun;
  struct BoundsRun;
  struct CompactRun;
  // Waits until the watches in it have been told a revision.
  struct Barrier {
    int64_t revision = 0;
    std::set<WatchId> behind = {};
    std::function<void(Status)> done = {};
  };
  using OnRange = std::function<void(Result<etcdserverpb::RangeResponse>)>;

  EtcdStore(EtcdOptions options, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
            Post post);

  // Runs `callback` on the loop unless the store is gone.
  void PostIfAlive(std::function<void()> callback);

  // Any thread.
  void SendReady();
  void SendWrite(WriteOrder::Ticket ticket, const std::shared_ptr<Write>& write);
  void OnWritten(WriteOrder::Ticket ticket, const std::shared_ptr<Write>& write,
                 Result<Outcome> outcome);
  void AfterWrites(std::function<void()> callback);
  void Ask(etcdserverpb::RangeRequest request, OnRange done);
  // Whether a revision can still be read.
  void AskIfKept(int64_t revision, std::function<void(Result<bool>)> done);
  void NextPage(const std::shared_ptr<RangeRun>& run);
  void OnPage(const std::shared_ptr<RangeRun>& run, Result<etcdserverpb::RangeResponse> page);
  void FindCompacted(const std::shared_ptr<BoundsRun>& run);
  void OnCompacted(const std::shared_ptr<CompactRun>& run, const Status& status);

  // Loop thread.
  void UntilTold(int64_t revision, std::function<void(Status)> done);
  void CheckBarriers(WatchId id);
  void Forget(WatchId id);

  const Post post_;
  const EtcdKeys keys_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  const std::weak_ptr<bool> life_{alive_};
  EtcdClient client_;

  // Loop thread only.
  std::map<WatchId, std::shared_ptr<EtcdWatch>> watches_;
  WatchId last_watch_ = 0;
  std::map<uint64_t, Barrier> barriers_;
  uint64_t last_barrier_ = 0;
  int64_t compacted_ = 1;  // at least

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable written_;
  WriteOrder order_;
  std::map<WriteOrder::Ticket, std::shared_ptr<Write>> writes_;
  std::multimap<WriteOrder::Ticket, std::function<void()>> after_writes_;
};

}  // namespace updraft::store

#include "core/store/etcd_store.h"

#include <algorithm>

#include "core/store/validate.h"

namespace updraft::store {
namespace {

constexpr size_t kWritesRunningMax = 128;
constexpr size_t kWritesQueuedMax = 20'000;
constexpr int64_t kPageKeys = 256;  // at 1.5 MB each they still are a message that gRPC takes
constexpr int kPageAttemptsMax = 3;
constexpr Nanos kBarrierPatience = Seconds(30);

using etcdserverpb::CompactionRequest;
using etcdserverpb::CompactionResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using Kv = EtcdClient::Kv;
using Repeat = EtcdClient::Repeat;

template <typename Part>
std::set<std::string> KeysOf(const std::vector<Part>& parts) {
  std::set<std::string> keys;
  for (const Part& part : parts) keys.insert(part.key);
  return keys;
}

}  // namespace

struct EtcdStore::RangeRun {
  RangeRequest asked = {};
  etcdserverpb::RangeRequest next = {};
  RangeResult result = {};
  int attempts = 0;
  Done<RangeResult> done = {};
};

// Finds the oldest revision that can be read: it is in [compacted, kept].
struct EtcdStore::BoundsRun {
  int64_t current = 0;
  int64_t compacted = 0;
  int64_t kept = 0;
  int64_t trying = 0;
  Done<Bounds> done = {};
};

struct EtcdStore::CompactRun {
  int64_t revision = 0;
  Done<std::monostate> done = {};
};

Result<std::unique_ptr<EtcdStore>> EtcdStore::Open(EtcdOptions options, Post post) {
  const auto credentials = CredentialsOf(options.tls);
  if (!credentials) return credentials.error();
  return std::unique_ptr<EtcdStore>(
      new EtcdStore(std::move(options), *credentials, std::move(post)));
}

EtcdStore::EtcdStore(EtcdOptions options,
                     const std::shared_ptr<grpc::ChannelCredentials>& credentials, Post post)
    : post_(std::move(post)),
      keys_(options.prefix, options.root),
      client_(options, credentials, keys_.barrier()),
      order_(kWritesRunningMax) {}

EtcdStore::~EtcdStore() {
  alive_.reset();
  for (const auto& [id, watch] : watches_) watch->Abandon();
  {
    std::unique_lock lock(mutex_);
    written_.wait(lock, [this] { return order_.queued() == 0; });
  }
  client_.Close();
}

void EtcdStore::PostIfAlive(std::function<void()> callback) {
  post_([alive = life_, callback = std::move(callback)] {
    if (!alive.expired()) callback();
  });
}

// ---- transactions

void EtcdStore::Commit(Transaction transaction, Done<Outcome> done) {
  Status valid = Validate(transaction);
  if (valid) valid = keys_.Check(transaction);
  if (valid) {
    const std::lock_guard lock(mutex_);
    if (order_.queued() >= kWritesQueuedMax) {
      valid = Error{Code::kResourceExhausted, "too many writes wait for etcd"};
    } else {
      const WriteOrder::Ticket ticket = order_.Add(KeysOf(transaction.operations), KeysOf(transaction.conditions));
      writes_[ticket] = std::make_shared<Write>(Write{std::move(transaction), std::move(done)});
    }
  }
  if (valid) {
    SendReady();
  } else {
    PostIfAlive([error = valid.error(), done = std::move(done)] { done(error); });
  }
}

void EtcdStore::SendReady() {
  std::vector<std::pair<WriteOrder::Ticket, std::shared_ptr<Write>>> ready;
  {
    const std::lock_guard lock(mutex_);
    for (const WriteOrder::Ticket ticket : order_.TakeReady())
      ready.emplace_back(ticket, writes_.at(ticket));
  }
  for (const auto& [ticket, write] : ready) SendWrite(ticket, write);
}

void EtcdStore::SendWrite(WriteOrder::Ticket ticket, const std::shared_ptr<Write>& write) {
  client_.Call<TxnRequest, TxnResponse>(&Kv::Txn, ToEtcd(write->transaction, keys_), Repeat::kNever,
                                        [this, ticket, write](Result<TxnResponse> response) {
                                          if (response) {
                                            OnWritten(ticket, write,
                                                      FromEtcd(*response, write->transaction));
                                          } else {
                                            OnWritten(ticket, write, response.error());
                                          }
                                        });
}

void EtcdStore::OnWritten(WriteOrder::Ticket ticket, const std::shared_ptr<Write>& write,
                          Result<Outcome> outcome) {
  // What `done` holds is for the loop to release: nothing of it stays here.
  PostIfAlive([done = std::move(write->done), outcome = std::move(outcome)] { done(outcome); });
  std::vector<std::function<void()>> after;
  {
    const std::lock_guard lock(mutex_);
    order_.Done(ticket);
    writes_.erase(ticket);
    while (!after_writes_.empty() && order_.AllDoneUpTo(after_writes_.begin()->first)) {
      after.push_back(std::move(after_writes_.begin()->second));
      after_writes_.erase(after_writes_.begin());
    }
  }
  for (const auto& callback : after) callback();
  SendReady();
  // Told last, and with the lock: whoever waits for it may take everything down.
  const std::lock_guard lock(mutex_);
  if (order_.queued() == 0) written_.notify_all();
}

void EtcdStore::AfterWrites(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (!order_.AllDoneUpTo(order_.last())) {
      after_writes_.emplace(order_.last(), std::move(callback));
      return;
    }
  }
  callback();
}

// ---- reading

void EtcdStore::Ask(etcdserverpb::RangeRequest request, OnRange done) {
  client_.Call<etcdserverpb::RangeRequest, etcdserverpb::RangeResponse>(
      &Kv::Range, std::move(request), Repeat::kUntilAnswered, std::move(done));
}

void EtcdStore::Range(RangeRequest request, Done<RangeResult> done) {
  const auto run = std::make_shared<RangeRun>();
  run->asked = std::move(request);
  run->done = std::move(done);
  const KeyRange keys = keys_.Clip(run->asked.keys);
  run->next.set_key(keys.begin);
  run->next.set_range_end(keys.end);
  run->next.set_revision(run->asked.revision);
  if (run->asked.revision != 0) {
    NextPage(run);
  } else {
    AfterWrites([this, run] { NextPage(run); });
  }
}

void EtcdStore::NextPage(const std::shared_ptr<RangeRun>& run) {
  int64_t limit = kPageKeys;
  if (run->asked.limit != 0) {
    const size_t left = run->asked.limit - run->result.entries.size();
    limit = std::min(limit, static_cast<int64_t>(left));
  }
  run->next.set_limit(limit);
  Ask(run->next,
      [this, run](Result<etcdserverpb::RangeResponse> page) { OnPage(run, std::move(page)); });
}

void EtcdStore::OnPage(const std::shared_ptr<RangeRun>& run,
                       Result<etcdserverpb::RangeResponse> page) {
  const auto finish = [this, &run](Result<RangeResult> result) {
    PostIfAlive([done = std::move(run->done), result = std::move(result)] { done(result); });
  };
  if (!page) {
    const bool overtaken = page.error().code == Code::kOutOfRange && run->asked.revision == 0;
    if (!overtaken || ++run->attempts == kPageAttemptsMax) return finish(page.error());
    // Compacted while it was read: from the beginning, as it is now.
    const KeyRange keys = keys_.Clip(run->asked.keys);
    run->next.set_key(keys.begin);
    run->next.set_revision(0);
    run->result = RangeResult();
    return NextPage(run);
  }
  RangeResult& result = run->result;
  if (result.revision == 0) result.revision = page->header().revision();
  for (const mvccpb::KeyValue& entry : page->kvs())
    result.entries.push_back(FromEtcd(entry, keys_));
  const bool full = run->asked.limit != 0 && result.entries.size() >= run->asked.limit;
  if (!page->more() || full) {
    result.more = page->more();
    return finish(std::move(result));
  }
  if (run->next.revision() == 0) run->next.set_revision(page->header().revision());
  run->next.set_key(page->kvs(page->kvs_size() - 1).key() + '\0');
  NextPage(run);
}

// ---- bounds

void EtcdStore::AskIfKept(int64_t revision, std::function<void(Result<bool>)> done) {
  etcdserverpb::RangeRequest request;
  request.set_key(keys_.barrier());
  request.set_count_only(true);
  request.set_revision(revision);
  Ask(std::move(request),
      [done = std::move(done)](const Result<etcdserverpb::RangeResponse>& response) {
        if (response) return done(true);
        if (response.error().code == Code::kOutOfRange) return done(false);
        done(response.error());
      });
}

void EtcdStore::ReadBounds(Done<Bounds> done) {
  const auto run = std::make_shared<BoundsRun>();
  run->done = std::move(done);
  run->compacted = run->trying = compacted_;
  AfterWrites([this, run] {
    etcdserverpb::RangeRequest request;
    request.set_key(keys_.barrier());
    request.set_count_only(true);
    Ask(std::move(request), [this, run](const Result<etcdserverpb::RangeResponse>& response) {
      if (!response) {
        PostIfAlive([done = std::move(run->done), error = response.error()] { done(error); });
        return;
      }
      run->current = run->kept = response->header().revision();
      FindCompacted(run);
    });
  });
}

// etcd tells nobody what it has compacted; but reading at a revision shows whether it has.
void EtcdStore::FindCompacted(const std::shared_ptr<BoundsRun>& run) {
  if (run->compacted < run->kept) {
    AskIfKept(run->trying, [this, run](const Result<bool>& kept) {
      if (!kept) {
        PostIfAlive([done = std::move(run->done), error = kept.error()] { done(error); });
        return;
      }
      (*kept ? run->kept : run->compacted) = *kept ? run->trying : run->trying + 1;
      run->trying = run->compacted + (run->kept - run->compacted) / 2;
      FindCompacted(run);
    });
    return;
  }
  PostIfAlive([this, run] {
    compacted_ = std::max(compacted_, run->kept);
    UntilTold(run->current, [run](const Status& told) {
      if (!told) return run->done(told.error());
      run->done(Bounds{.compacted = run->kept, .current = run->current});
    });
  });
}

// ---- compaction

void EtcdStore::Compact(int64_t revision, Done<std::monostate> done) {
  const auto run = std::make_shared<CompactRun>(CompactRun{revision, std::move(done)});
  AfterWrites([this, run] {
    CompactionRequest request;
    request.set_revision(run->revision);
    client_.Call<CompactionRequest, CompactionResponse>(
        &Kv::Compact, std::move(request), Repeat::kUntilAnswered,
        [this, run](const Result<CompactionResponse>& response) {
          if (response) return OnCompacted(run, Ok());
          if (response.error().code != Code::kOutOfRange) return OnCompacted(run, response.error());
          // To etcd a second compaction at the same revision is one of the past.
          AskIfKept(run->revision, [this, run, error = response.error()](const Result<bool>& kept) {
            OnCompacted(run, kept && *kept ? Ok() : Status(error));
          });
        });
  });
}

void EtcdStore::OnCompacted(const std::shared_ptr<CompactRun>& run, const Status& status) {
  PostIfAlive([this, done = std::move(run->done), status, revision = run->revision] {
    if (status) compacted_ = std::max(compacted_, revision);
    done(status);
  });
}

// ---- watches

Store::WatchId EtcdStore::Watch(KeyRange keys, int64_t from_revision, WatchCallbacks callbacks) {
  const WatchId id = ++last_watch_;
  const auto told = std::make_shared<WatchCallbacks>(std::move(callbacks));
  EtcdWatch::Observer observer{
      .on_events = [told](const EventBatch& batch) { told->on_events(batch); },
      .on_told = [this, id] { CheckBarriers(id); },
      .on_end =
          [this, id, told](const Error& error) {
            Forget(id);
            told->on_end(error);
          }};
  const auto watch = std::make_shared<EtcdWatch>(client_, keys_, post_, std::move(keys),
                                                 from_revision, std::move(observer));
  watches_[id] = watch;
  watch->Begin();
  return id;
}

void EtcdStore::Unwatch(WatchId id) {
  const auto watch = watches_.find(id);
  if (watch == watches_.end()) return;
  watch->second->Abandon();
  Forget(id);
}

void EtcdStore::Forget(WatchId id) {
  watches_.erase(id);
  // Whoever waits for it is called later: this may be within a callback.
  PostIfAlive([this, id] { CheckBarriers(id); });
}

void EtcdStore::UntilTold(int64_t revision, std::function<void(Status)> done) {
  Barrier barrier{.revision = revision, .behind = {}, .done = std::move(done)};
  for (const auto& [id, watch] : watches_) {
    if (watch->told() < revision) barrier.behind.insert(id);
  }
  if (barrier.behind.empty()) return barrier.done(Ok());
  // Nothing says that a watch has no more to tell but a change that it must tell last: one is made.
  const uint64_t number = ++last_barrier_;
  barriers_[number] = std::move(barrier);
  client_.After(kBarrierPatience, [this, number] {
    PostIfAlive([this, number] {
      auto late = barriers_.extract(number);
      if (!late.empty())
        late.mapped().done(Error{Code::kUnavailable, "etcd does not tell its changes"});
    });
  });
  TxnRequest write;
  write.add_success()->mutable_request_put()->set_key(keys_.barrier());
  client_.Call<TxnRequest, TxnResponse>(&Kv::Txn, std::move(write), Repeat::kUntilAnswered,
                                        [this, number](const Result<TxnResponse>& response) {
                                          if (response) return;
                                          PostIfAlive([this, number, error = response.error()] {
                                            auto failed = barriers_.extract(number);
                                            if (!failed.empty()) failed.mapped().done(error);
                                          });
                                        });
}

void EtcdStore::CheckBarriers(WatchId id) {
  const auto watch = watches_.find(id);
  std::vector<std::function<void(Status)>> over;
  for (auto it = barriers_.begin(); it != barriers_.end();) {
    Barrier& barrier = it->second;
    if (watch == watches_.end() || watch->second->told() >= barrier.revision)
      barrier.behind.erase(id);
    if (!barrier.behind.empty()) {
      ++it;
      continue;
    }
    over.push_back(std::move(barrier.done));
    it = barriers_.erase(it);
  }
  const std::weak_ptr<bool> alive = alive_;
  for (const auto& done : over) {
    if (!alive.expired()) done(Ok());
  }
}

}  // namespace updraft::store

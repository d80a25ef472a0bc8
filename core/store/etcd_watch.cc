#include "core/store/etcd_watch.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>

#include "core/base/backoff.h"

namespace updraft::store {
namespace {

// Read ahead of the loop: etcd makes a message of each transaction, the loop takes many in one
// turn.
constexpr size_t kAheadMessagesMax = 256;
constexpr size_t kAheadBytesMax = 4 << 20;

constexpr BackoffPolicy kReconnect = {.first = Millis(20), .most = Seconds(1)};

}  // namespace

// Lives until gRPC is done with it.
class EtcdWatch::Stream
    : public grpc::ClientBidiReactor<etcdserverpb::WatchRequest, etcdserverpb::WatchResponse>,
      public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::shared_ptr<EtcdWatch> watch, EtcdClient::Turn turn,
         etcdserverpb::WatchRequest request)
      : watch_(std::move(watch)), turn_(turn), request_(std::move(request)) {
    // A member that has lost its leader is to say so.
    context_->AddMetadata("hasleader", "true");
  }

  // False: the client is closed.
  bool Enter() {
    id_ = watch_->client_.Enter(context_.get());
    return id_ != 0;
  }

  void Begin(EtcdClient::Endpoint& endpoint) {
    self_ = shared_from_this();
    endpoint.watch->async()->Watch(context_.get(), this);
    AddHold();  // reads are started from the loop
    StartWrite(&request_);
    StartRead(&response_);
    const std::shared_ptr<Stream> self = self_;
    StartCall();
    watch_->client_.After(watch_->client_.call_deadline(), [weak = weak_from_this()] {
      const auto late = weak.lock();
      if (late && !late->heard_) late->Cancel();
    });
  }

  // It ends and is read no more; what was read last may still be told to nobody.
  void Abandon() {
    bool let_go = false;
    {
      const std::lock_guard lock(mutex_);
      let_go = !std::exchange(abandoned_, true) && !reading_ && !ended_;
    }
    Cancel();
    if (let_go) RemoveHold();
  }

  // It ends, and its end is told.
  void Cancel() {
    const std::lock_guard lock(mutex_);
    if (context_) context_->TryCancel();
  }

 private:
  void OnReadDone(bool ok) override {
    heard_ = true;
    bool ended = false;
    bool post = false;
    bool read = false;
    {
      const std::lock_guard lock(mutex_);
      ended_ = ended = !ok || abandoned_;
      if (!ended) {
        ahead_bytes_ += response_.ByteSizeLong();
        ahead_.push_back(std::move(response_));
        post = !std::exchange(posted_, true);
        read = ahead_.size() < kAheadMessagesMax && ahead_bytes_ < kAheadBytesMax;
      }
      reading_ = read;
    }
    if (ended) {
      RemoveHold();
      return;
    }
    if (post) watch_->post_([self = shared_from_this()] { self->TakeAll(); });
    if (read) ReadNext();
  }

  void ReadNext() {
    response_ = etcdserverpb::WatchResponse();
    StartRead(&response_);
  }

  // On the loop.
  void TakeAll() {
    std::deque<etcdserverpb::WatchResponse> taken;
    bool read = false;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(ahead_);
      ahead_bytes_ = 0;
      posted_ = false;
      read = !reading_ && !ended_ && !abandoned_;
      if (read) reading_ = true;
    }
    if (read) ReadNext();
    for (const etcdserverpb::WatchResponse& response : taken) {
      if (abandoned()) return;
      watch_->OnResponse(response);
    }
  }

  bool abandoned() {
    const std::lock_guard lock(mutex_);
    return abandoned_;
  }

  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<Stream> self = std::move(self_);
    watch_->client_.Failed(turn_, status);
    watch_->post_([self] { self->watch_->OnStreamEnd(); });
    std::unique_ptr<grpc::ClientContext> context;
    {
      const std::lock_guard lock(mutex_);
      context = std::move(context_);
    }
    watch_->client_.Leave(id_, std::move(context));
  }

  const std::shared_ptr<EtcdWatch> watch_;
  const EtcdClient::Turn turn_;
  EtcdClient::CallId id_ = 0;
  const etcdserverpb::WatchRequest request_;
  etcdserverpb::WatchResponse response_;
  std::atomic<bool> heard_{false};
  std::shared_ptr<Stream> self_;  // until OnDone

  // Guarded by mutex_.
  std::mutex mutex_;
  bool reading_ = true;  // gRPC has response_
  bool ended_ = false;   // and will have it no more
  bool abandoned_ = false;
  bool posted_ = false;  // the loop is to take what is ahead
  std::deque<etcdserverpb::WatchResponse> ahead_;
  size_t ahead_bytes_ = 0;
  std::unique_ptr<grpc::ClientContext> context_ = std::make_unique<grpc::ClientContext>();
};

EtcdWatch::EtcdWatch(EtcdClient& client, const EtcdKeys& keys, Post post, KeyRange range,
                     int64_t from_revision, Observer observer)
    : client_(client),
      keys_(keys),
      post_(std::move(post)),
      range_(std::move(range)),
      observer_(std::move(observer)),
      told_(from_revision - 1) {}

void EtcdWatch::Begin() {
  if (told_ >= 1) {
    Connect();
    return;
  }
  post_([self = shared_from_this()] { self->End({Code::kOutOfRange, "revision is compacted"}); });
}

void EtcdWatch::Abandon() {
  std::shared_ptr<Stream> stream;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    stream.swap(stream_);
  }
  if (stream) stream->Abandon();
}

void EtcdWatch::Connect() {
  if (over()) return;
  const auto self = shared_from_this();
  client_.Acquire(
      RealClock().Now() + client_.patience(),
      [self](EtcdClient::Endpoint& endpoint, EtcdClient::Turn turn) { self->Open(endpoint, turn); },
      [self](const Error&) { self->ConnectLater(); });
}

void EtcdWatch::ConnectLater() {
  client_.After(kReconnect.most,
                [self = shared_from_this()] { self->post_([self] { self->Connect(); }); });
}

void EtcdWatch::Open(EtcdClient::Endpoint& endpoint, EtcdClient::Turn turn) {
  etcdserverpb::WatchRequest request;
  etcdserverpb::WatchCreateRequest& create = *request.mutable_create_request();
  create.set_key(keys_.whole().begin);
  create.set_range_end(keys_.whole().end);
  // One revision early: etcd refuses only what is older than its compaction, though deletions at
  // that very revision are gone too.
  create.set_start_revision(told_);
  create.set_progress_notify(true);
  create.set_fragment(true);
  const auto stream = std::make_shared<Stream>(shared_from_this(), turn, std::move(request));
  {
    const std::lock_guard lock(mutex_);
    if (over_ || !stream->Enter()) return;
    stream_ = stream;
  }
  stream->Begin(endpoint);
}

void EtcdWatch::OnResponse(const etcdserverpb::WatchResponse& response) {
  const uint64_t cluster = response.header().cluster_id();
  if (cluster_ != 0 && cluster != cluster_) {
    End({Code::kUnavailable, "another etcd cluster answers now"});
    return;
  }
  cluster_ = cluster;
  if (response.canceled()) {
    if (response.compact_revision() != 0) {
      End({Code::kOutOfRange, "revision is compacted"});
      return;
    }
    const std::lock_guard lock(mutex_);
    if (stream_) stream_->Cancel();
    return;
  }
  failures_ = 0;
  if (response.created()) return;
  if (response.events_size() != 0) {
    OnEvents(response);
  } else if (response.watch_id() >= 0 && held_.empty() && response.header().revision() > told_) {
    told_ = response.header().revision();
    const auto self = shared_from_this();
    observer_.on_events({.revision = told_, .events = {}});
    if (!over()) observer_.on_told();
  }
}

void EtcdWatch::OnEvents(const etcdserverpb::WatchResponse& response) {
  for (const mvccpb::Event& event : response.events()) {
    if (event.kv().mod_revision() > told_) held_.push_back(FromEtcd(event, keys_));
  }
  if (held_.empty()) return;
  const int64_t last = held_.back().entry.mod_revision;
  // The rest of the last revision may be in the next fragment.
  const auto whole =
      response.fragment()
          ? std::ranges::find(held_, last, [](const Event& e) { return e.entry.mod_revision; })
          : held_.end();
  if (whole == held_.begin()) return;
  EventBatch batch{.revision = std::prev(whole)->entry.mod_revision, .events = {}};
  std::move(held_.begin(), whole, std::back_inserter(batch.events));
  held_.erase(held_.begin(), whole);
  std::erase_if(batch.events, [this](const Event& event) {
    return keys_.IsOwn(event.entry.key) || !range_.Contains(event.entry.key);
  });
  told_ = batch.revision;
  const auto self = shared_from_this();
  if (!batch.events.empty()) observer_.on_events(batch);
  if (!over()) observer_.on_told();
}

void EtcdWatch::OnStreamEnd() {
  {
    const std::lock_guard lock(mutex_);
    stream_.reset();
    if (over_) return;
  }
  held_.clear();
  // Streams that break one after the other are no endpoint's fault that a probe would notice.
  const Nanos wait = BackoffDelay(kReconnect, ++failures_, 0.5);
  client_.After(wait, [self = shared_from_this()] { self->post_([self] { self->Connect(); }); });
}

void EtcdWatch::End(const Error& error) {
  if (over()) return;
  Abandon();
  observer_.on_end(error);
}

bool EtcdWatch::over() {
  const std::lock_guard lock(mutex_);
  return over_;
}

}  // namespace updraft::store

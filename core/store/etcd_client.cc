#include "core/store/etcd_client.h"

#include <fstream>
#include <sstream>

#include "core/base/backoff.h"
#include "core/base/check.h"
#include "core/base/grpc_status.h"

namespace updraft::store {
namespace {

constexpr Nanos kProbeDeadline = Seconds(2);
constexpr BackoffPolicy kProbeBackoff = {.first = Millis(50), .most = Seconds(1)};
constexpr int kKeepaliveMillis = 10'000;  // etcd takes offence below 5 s
constexpr int kMessageBytesMax = 512 << 20;

std::chrono::system_clock::time_point FromNow(Nanos delay) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          RealClock().Wall().time_since_epoch() + delay));
}

std::shared_ptr<grpc::Channel> Connect(
    const std::string& address, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);  // a connection may take as long
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMillis / 2);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  return grpc::CreateCustomChannel(address, credentials, arguments);
}

Result<std::string> ReadFile(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || text.str().empty()) return Error{Code::kFailedPrecondition, "cannot read " + path};
  return text.str();
}

}  // namespace

Error ErrorOf(const grpc::Status& status) {
  Error error = Context("etcd", FromGrpc(status));
  switch (error.code) {
    case Code::kOutOfRange:
    case Code::kInvalidArgument:
    case Code::kCancelled:
    case Code::kPermissionDenied:
    case Code::kUnauthenticated:
      return error;
    default:
      error.code = Code::kUnavailable;
      return error;
  }
}

Result<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(const EtcdTls& tls) {
  if (!tls.wanted()) return grpc::InsecureChannelCredentials();
  Result<std::string> ca = ReadFile(tls.ca);
  if (!ca) return ca.error();
  Result<std::string> cert = ReadFile(tls.cert);
  if (!cert) return cert.error();
  Result<std::string> key = ReadFile(tls.key);
  if (!key) return key.error();
  return grpc::SslCredentials(
      {.pem_root_certs = *ca, .pem_private_key = *key, .pem_cert_chain = *cert});
}

EtcdClient::EtcdClient(const EtcdOptions& options,
                       const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                       std::string probe_key)
    : options_(options), probe_key_(std::move(probe_key)), random_(std::random_device()()) {
  for (const std::string& address : options_.endpoints) {
    const std::shared_ptr<grpc::Channel> channel = Connect(address, credentials);
    endpoints_.push_back({.address = address,
                          .kv = etcdserverpb::KV::NewStub(channel),
                          .watch = etcdserverpb::Watch::NewStub(channel)});
  }
  UPDRAFT_CHECK(!endpoints_.empty());
}

EtcdClient::~EtcdClient() { UPDRAFT_CHECK(closed_); }

bool EtcdClient::IsOfEndpoint(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:  // it is being shut down
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::INTERNAL:
      return true;
    default:
      return false;
  }
}

void EtcdClient::Prepare(grpc::ClientContext& context, Nanos deadline) {
  context.set_deadline(FromNow(deadline));
}

void EtcdClient::Acquire(TimePoint give_up, Start start, Fail fail) {
  Turn turn = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!closed_ && !answers_) {
      waiting_.push_back({give_up, std::move(start), std::move(fail)});
      if (!probing_) ProbeSoon();
      return;
    }
    if (!closed_) turn = turn_ + 1;
  }
  if (turn == 0) {
    fail({Code::kCancelled, "the store is closed"});
  } else {
    start(endpoints_[(turn - 1) % endpoints_.size()], turn);
  }
}

void EtcdClient::Failed(Turn turn, const grpc::Status& status) {
  if (!IsOfEndpoint(status)) return;
  const std::lock_guard lock(mutex_);
  if (!answers_ || turn != turn_ + 1) return;
  answers_ = false;
  last_error_ = status.error_message();
  ++turn_;
}

void EtcdClient::ProbeSoon() {
  probing_ = true;
  // All of them are tried before there is a wait.
  const int rounds = failures_ / static_cast<int>(endpoints_.size());
  const bool round_over = failures_ % static_cast<int>(endpoints_.size()) == 0;
  const Nanos wait =
      rounds == 0 || !round_over
          ? Nanos(0)
          : BackoffDelay(kProbeBackoff, rounds, std::uniform_real_distribution<>(0, 1)(random_));
  const auto alarm = std::make_shared<grpc::Alarm>();
  const uint64_t id = ++last_alarm_;
  alarms_[id] = alarm;
  alarm->Set(FromNow(wait), [this, id](bool) {
    Probe();
    const std::lock_guard lock(mutex_);
    alarms_.erase(id);
    idle_.notify_all();
  });
}

void EtcdClient::Probe() {
  struct Asked {
    std::unique_ptr<grpc::ClientContext> context = std::make_unique<grpc::ClientContext>();
    etcdserverpb::RangeRequest request;
    etcdserverpb::RangeResponse response;
  };
  const auto asked = std::make_shared<Asked>();
  Prepare(*asked->context, kProbeDeadline);
  asked->request.set_key(probe_key_);
  asked->request.set_count_only(true);
  const CallId id = Enter(asked->context.get());
  if (id == 0) return;
  Endpoint* endpoint = nullptr;
  {
    const std::lock_guard lock(mutex_);
    endpoint = &endpoints_[turn_ % endpoints_.size()];
  }
  endpoint->kv->async()->Range(asked->context.get(), &asked->request, &asked->response,
                               [this, asked, id](const grpc::Status& status) {
                                 OnProbed(status);
                                 Leave(id, std::move(asked->context));
                               });
}

void EtcdClient::OnProbed(const grpc::Status& status) {
  std::deque<Waiting> served;
  std::vector<Waiting> expired;
  Turn turn = 0;
  std::string why;
  {
    const std::lock_guard lock(mutex_);
    probing_ = false;
    if (closed_) return;
    if (status.ok()) {
      answers_ = true;
      failures_ = 0;
      turn = turn_ + 1;
      served.swap(waiting_);
    } else {
      why = last_error_ =
          endpoints_[turn_ % endpoints_.size()].address + ": " + status.error_message();
      ++failures_;
      ++turn_;
      expired = TakeExpired();
      if (!waiting_.empty()) ProbeSoon();
    }
  }
  for (Waiting& one : served) one.start(endpoints_[(turn - 1) % endpoints_.size()], turn);
  for (Waiting& one : expired) one.fail({Code::kUnavailable, "no etcd endpoint answers: " + why});
}

std::vector<EtcdClient::Waiting> EtcdClient::TakeExpired() {
  const TimePoint now = RealClock().Now();
  std::vector<Waiting> expired;
  std::deque<Waiting> left;
  for (Waiting& one : waiting_) {
    if (one.give_up <= now) {
      expired.push_back(std::move(one));
    } else {
      left.push_back(std::move(one));
    }
  }
  waiting_.swap(left);
  return expired;
}

EtcdClient::CallId EtcdClient::Enter(grpc::ClientContext* context) {
  const std::lock_guard lock(mutex_);
  if (closed_) return 0;
  running_[++last_call_] = context;
  return last_call_;
}

void EtcdClient::Leave(CallId id, std::unique_ptr<grpc::ClientContext> context) {
  {
    const std::lock_guard lock(mutex_);
    running_.at(id) = nullptr;
  }
  context.reset();
  const std::lock_guard lock(mutex_);
  running_.erase(id);
  idle_.notify_all();
}

void EtcdClient::After(Nanos delay, std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  const auto alarm = std::make_shared<grpc::Alarm>();
  const uint64_t id = ++last_alarm_;
  alarms_[id] = alarm;
  alarm->Set(FromNow(delay), [this, id, callback = std::move(callback)](bool fired) {
    if (fired) callback();
    const std::lock_guard fired_lock(mutex_);
    alarms_.erase(id);
    idle_.notify_all();
  });
}

void EtcdClient::Close() {
  std::deque<Waiting> failed;
  std::vector<std::shared_ptr<grpc::Alarm>> alarms;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    failed.swap(waiting_);
    for (const auto& [id, context] : running_) {
      if (context != nullptr) context->TryCancel();
    }
    for (const auto& [id, alarm] : alarms_) alarms.push_back(alarm);
  }
  for (const auto& alarm : alarms) alarm->Cancel();
  for (Waiting& one : failed) one.fail({Code::kCancelled, "the store is closed"});
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return running_.empty() && alarms_.empty(); });
}

}  // namespace updraft::store

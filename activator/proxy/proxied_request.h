// One client request on its way: route, slot, instance, response, or an answer of our own.
// Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "activator/proxy/deadlines.h"
#include "activator/proxy/error_reply.h"
#include "activator/proxy/https_redirect.h"
#include "activator/proxy/network_probe.h"
#include "activator/proxy/proxy.h"
#include "activator/proxy/relay.h"
#include "activator/proxy/request_origin.h"
#include "activator/proxy/slot_hold.h"
#include "activator/proxy/traffic_meter.h"
#include "core/http/exchange.h"

namespace updraft::activator {

class ProxiedRequest final : private DeadlineObserver {
 public:
  ProxiedRequest(Proxy& proxy, http::Exchange& exchange, Entrance entrance);

  http::Task<void> Serve();
  // After it.
  void LogAccess() const;

 private:
  http::Task<void> AnswerNetworkProbe(ProbeAnswer answer);
  // `tag`: of the request's own field.
  const HostRule* FindRule(std::string_view tag);
  std::optional<HttpsRedirect> RedirectFor(const HostRule& rule) const;
  http::Task<void> Redirect(HttpsRedirect redirect);
  RequestTimeouts TimeoutsOf(Revision& revision);
  http::Task<void> ServeRevision(Revision& revision);
  http::Task<bool> TryInstance();
  http::Task<bool> TryHttp1Instance();
  http::Task<bool> TryHttp2Instance();
  RelayParts BeginRelay(http::ClientExchange& upstream, bool reused);
  void EndRelay(const RelayResult& result);
  http::Task<Status> Obtain(std::unique_ptr<UpstreamConnection>& connection, bool& reused);
  http::Task<Status> Connect(std::unique_ptr<UpstreamConnection>& connection);
  Status NoteConnect(Status connected);
  http::Task<void> Conclude(RelayResult result);
  http::Task<void> Answer(ErrorReply reply);
  http::Task<void> AnswerOrAppend(ErrorReply reply);
  http::Task<void> AnswerWithoutInstance(Revision& revision);
  ErrorReply ReplyWithoutInstance();
  ErrorReply TimeoutReply();
  void MarkUnanswered(const Error& error);
  void Record(Revision& revision);
  void CountAbort(AbortCause cause) { abort_cause_ = cause; }
  bool over() const;

  void OnDeadline() override;
  void OnClientGone();

  Proxy& proxy_;
  http::Exchange& exchange_;
  const Entrance entrance_;
  const TimePoint start_;
  RequestId made_id_;      // when the client gave none
  std::string route_tag_;  // the routes may change while the request waits
  RequestOrigin origin_;
  std::optional<RequestDeadlines> deadlines_;
  SlotHold hold_;
  http::ClientExchange* upstream_ = nullptr;  // while one is in use
  UpstreamWait* wait_ = nullptr;              // while one lasts
  Error connect_error_;
  TakenBody body_;
  TrafficMeter traffic_;
  std::optional<AbortCause> abort_cause_;
  bool logged_ = false;
  std::shared_ptr<const RevisionSettings> settings_;  // for the log alone
  uint64_t own_bytes_ = 0;                            // of an answer of our own
  int status_ = 0;                                    // as the client sees it; 0: it saw none
};

}  // namespace updraft::activator

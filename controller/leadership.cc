#include "controller/leadership.h"

#include <utility>

#include "controller/metrics.h"
#include "core/base/log.h"

namespace updraft::controller {
namespace {

// Much less than a lease's margin.
constexpr Nanos kLookEvery = Millis(100);

}  // namespace

Leadership::Leadership(Loop& loop, lease::LedStore& store, std::function<void()> led,
                       std::function<void()> lost)
    : loop_(loop), store_(store), led_(std::move(led)), lost_(std::move(lost)) {
  ShowLeads(exposition_, false);
  timer_ = loop_.After(Nanos(0), [this] { Look(); });
}

Leadership::~Leadership() { loop_.Cancel(timer_); }

Status Leadership::StandBy(const std::string& operations_address) {
  operations_ = std::make_unique<http::Server>(
      loop_, http::ServerOptions{},
      metrics::OperationsHandler(exposition_, [this] { return Ready(); }));
  const Result<uint16_t> port = operations_->Listen(operations_address);
  return port ? Ok() : Status(port.error());
}

Status Leadership::Ready() const {
  const Status& heard = store_.candidate().heard();
  if (!heard) return Context("standing by", heard.error());
  const std::string& leader = store_.candidate().leader();
  return Error{Code::kUnavailable,
               leader.empty() ? "standing by" : "standing by: " + leader + " leads"};
}

void Leadership::Look() {
  timer_ = loop_.After(kLookEvery, [this] { Look(); });
  lease::Candidate& candidate = store_.candidate();
  candidate.Tick();
  if (std::exchange(heard_, bool(candidate.heard())) && !heard_)
    Log(Level::kWarn, "store_silent", {{"error", candidate.heard().error().message}});
  if (candidate.Leads() && led_) {
    operations_.reset();
    Log(Level::kInfo, "leading", {{"as", candidate.leader()}});
    std::exchange(led_, nullptr)();
  } else if (!candidate.Leads() && !led_ && lost_) {
    std::exchange(lost_, nullptr)();
  }
}

void Leadership::Resign(std::function<void()> done) {
  led_ = lost_ = nullptr;
  store_.candidate().Resign([done = std::move(done)](const Status& status) {
    if (!status) Log(Level::kWarn, "not_resigned", {{"error", status.error().message}});
    done();
  });
}

}  // namespace updraft::controller

#include "cli/replay/request_model.h"

#include <algorithm>
#include <tuple>

namespace updraft::cli {
namespace {

constexpr char kActivator[] = "replay";
constexpr Nanos kReportEvery = Seconds(1);
constexpr Nanos kTickEvery = Seconds(2);

double ToSeconds(Nanos span) { return static_cast<double>(span.count()) * 1e-9; }

}  // namespace

bool RequestModel::Event::operator>(const Event& other) const {
  return std::tuple(at, what, order) > std::tuple(other.at, other.what, other.order);
}

RequestModel::RequestModel(const autoscaler::Target& target, std::vector<std::string> revisions,
                           std::vector<ReplayedRequest> requests, ModelOptions options)
    : target_(target), options_(options), requests_(std::move(requests)) {
  fleet_.ActivatorConnected(kActivator, 1);
  for (std::string& key : revisions) {
    index_.emplace(key, static_cast<int>(revisions_.size()));
    revisions_.push_back({std::move(key), RevisionModel(target.container_concurrency)});
  }
}

void RequestModel::Schedule(TimePoint at, What what, int revision, uint64_t instance,
                            size_t request) {
  events_.push({at, what, order_++, revision, instance, request});
}

AccountSum RequestModel::Run(const std::function<void(const AccountRow&)>& see) {
  now_ = requests_.empty() ? TimePoint() : std::chrono::floor<Seconds>(requests_.front().at);
  for (Revision& revision : revisions_) {
    revision.model.Resize(0, now_);
    TellCounts(revision);
  }
  CarryOut();
  Schedule(now_, What::kReport);
  Schedule(now_, What::kTick);
  Schedule(now_ + options_.row_every, What::kRow);
  if (!requests_.empty()) Schedule(requests_.front().at, What::kArrive);
  while (!events_.empty()) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    Handle(event);
    if (event.what != What::kRow) continue;
    see(MakeRow());
    if (Over()) break;
    Schedule(now_ + options_.row_every, What::kRow);
  }
  for (Revision& revision : revisions_) {
    sum_.starts += revision.model.started();
    sum_.instance_seconds += revision.model.InstanceSeconds(now_);
  }
  if (!latencies_.empty()) sum_.latency_max = std::ranges::max(latencies_);
  sum_.latency = PercentilesOf(latencies_);
  return sum_;
}

void RequestModel::Handle(const Event& event) {
  switch (event.what) {
    case What::kArrive:
      // All of one moment, so that the first answer is sized from what waits.
      while (next_request_ < requests_.size() && requests_[next_request_].at == now_) {
        Arrive(requests_[next_request_].revision, next_request_);
        ++next_request_;
      }
      for (Revision& revision : revisions_) {
        if (revision.touched && revision.model.waiting() > 0 && revision.model.ready() == 0)
          Demand(revision);
      }
      if (next_request_ < requests_.size()) Schedule(requests_[next_request_].at, What::kArrive);
      break;
    case What::kEnd:
      End(event);
      break;
    case What::kReady: {
      Revision& revision = revisions_[static_cast<size_t>(event.revision)];
      for (const auto& begun : revision.model.Ready(event.instance, now_))
        Begin(event.revision, begun);
      TellCounts(revision);
      break;
    }
    case What::kReport:
      ReportAll();
      Schedule(now_ + kReportEvery, What::kReport);
      break;
    case What::kTick:
      fleet_.Tick(now_, options_.start + now_.time_since_epoch());
      Schedule(now_ + kTickEvery, What::kTick);
      break;
    case What::kRow:
      break;
  }
  CarryOut();
}

void RequestModel::Arrive(int index, size_t number) {
  Revision& revision = revisions_[static_cast<size_t>(index)];
  ReplayedRequest& request = requests_[number];
  request.cold = revision.model.ready() == 0;
  ++sum_.requests;
  ++row_requests_;
  if (request.cold) {
    ++sum_.cold_starts;
    ++row_cold_;
  }
  revision.touched = true;
  if (const auto begun = revision.model.Arrive(number, now_)) Begin(index, *begun);
}

void RequestModel::Begin(int revision, const RevisionModel::Begun& begun) {
  ReplayedRequest& request = requests_[begun.request];
  request.began = now_;
  Schedule(now_ + request.duration, What::kEnd, revision, begun.instance, begun.request);
}

void RequestModel::End(const Event& event) {
  Revision& revision = revisions_[static_cast<size_t>(event.revision)];
  const double latency = ToSeconds(now_ - requests_[event.request].at);
  latencies_.push_back(latency);
  row_latencies_.push_back(latency);
  ++ended_;
  last_end_ = now_;
  revision.touched = true;
  if (const auto begun = revision.model.End(event.instance, now_)) Begin(event.revision, *begun);
}

void RequestModel::Demand(Revision& revision) {
  fleet_.Report(kActivator, {{revision.key, revision.model.Load(now_), 1}}, false, now_);
}

void RequestModel::ReportAll() {
  std::vector<autoscaler::LoadLine> lines;
  for (Revision& revision : revisions_) {
    const bool busy = revision.model.waiting() > 0 || revision.model.running() > 0;
    if (revision.touched || busy) lines.push_back({revision.key, revision.model.Load(now_), 0});
    revision.touched = false;
  }
  if (!lines.empty()) fleet_.Report(kActivator, lines, false, now_);
}

void RequestModel::TellCounts(Revision& revision) {
  autoscaler::Target target = target_;
  target.ready = revision.model.ready();
  target.starting = revision.model.starting();
  fleet_.Put(revision.key, std::move(target), now_);
}

// What is carried out changes the counts, which may change what is decided.
void RequestModel::CarryOut() {
  for (auto changes = fleet_.TakeChanges(); !changes.empty(); changes = fleet_.TakeChanges()) {
    for (const autoscaler::RevisionDecision& change : changes) {
      const int index = index_.at(change.revision);
      Revision& revision = revisions_[static_cast<size_t>(index)];
      const int desired = change.decision.desired.value_or(revision.desired);
      if (desired == revision.desired) continue;
      revision.desired = desired;
      for (const uint64_t instance : revision.model.Resize(desired, now_)) {
        Schedule(now_ + options_.cold_start, What::kReady, index, instance);
      }
      TellCounts(revision);
    }
  }
}

AccountRow RequestModel::MakeRow() {
  AccountRow row;
  row.at = ToSeconds(now_.time_since_epoch());
  int existing = 0;
  for (Revision& revision : revisions_) {
    row.ready += revision.model.ready();
    row.starting += revision.model.starting();
    row.desired += revision.desired;
    row.in_flight += revision.model.running();
    row.queue += revision.model.waiting();
    row.instance_seconds += revision.model.InstanceSeconds(now_);
    existing += revision.model.existing();
  }
  sum_.instances_max = std::max(sum_.instances_max, existing);
  row.requests = std::exchange(row_requests_, 0);
  row.cold_starts = std::exchange(row_cold_, 0);
  row.latency = PercentilesOf(row_latencies_);
  row_latencies_.clear();
  return row;
}

bool RequestModel::Over() const {
  if (ended_ < requests_.size()) return false;
  const bool gone =
      std::ranges::all_of(revisions_, [](const auto& one) { return one.model.existing() == 0; });
  return gone || now_ - last_end_ >= options_.rest_max;
}

}  // namespace updraft::cli

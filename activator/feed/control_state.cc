#include "activator/feed/control_state.h"

#include <utility>

#include "core/base/backoff.h"

namespace updraft::activator {
namespace {

// How long an instance is left alone after so many failures in a row.
constexpr BackoffPolicy kEjection = {.first = Millis(100), .most = Seconds(10)};

}  // namespace

ControlState::ControlState(const Clock& clock, Reporter reporter, uint32_t worker_count)
    : clock_(clock),
      reporter_(std::move(reporter)),
      state_(worker_count),
      table_(std::make_shared<const RouteTable>()),
      ledger_(clock) {}

v1::ActivatorMessage ControlState::Hello(const std::string& version) {
  state_.ForgetLoads();
  v1::ActivatorMessage message;
  message.mutable_hello()->set_activator_id(reporter_.activator_id);
  message.mutable_hello()->set_version(version);
  return message;
}

ControlState::Applied ControlState::Apply(const v1::RoutingUpdate& update) {
  Applied applied;
  applied.publication = std::make_shared<const Publication>(state_.Apply(FromProto(update), clock_.Wall()));
  table_ = applied.publication->table;
  for (const Publication::Change& change : applied.publication->changes) {
    if (change.view.settings) {
      ledger_.Set(change.revision, change.view.instances != nullptr);
    } else {
      ledger_.Remove(change.revision->key());
    }
  }
  for (const std::string& id : applied.publication->drained) applied.messages.push_back(Drained(id));
  return applied;
}

v1::ActivatorMessage ControlState::Routed(int64_t sequence) const {
  v1::ActivatorMessage message;
  message.mutable_applied()->set_sequence(sequence);
  return message;
}

std::optional<v1::ActivatorMessage> ControlState::OnDrained(const Instance* instance) {
  const auto id = state_.OnDrained(instance);
  return id ? std::optional(Drained(*id)) : std::nullopt;
}

v1::ActivatorMessage ControlState::Drained(const std::string& instance_id) {
  v1::ActivatorMessage message;
  message.mutable_drained()->set_instance_id(instance_id);
  return message;
}

ControlState::Ejection ControlState::OnEjected(const std::string& instance_id, uint32_t failures,
                                               const Error& error) const {
  Ejection ejection{.span = BackoffDelay(kEjection, static_cast<int>(failures), 1.0), .message = {}};
  ejection.message.mutable_failure()->set_instance_id(instance_id);
  ejection.message.mutable_failure()->set_reason(error.message);
  return ejection;
}

uint64_t ControlState::Restore(const Revision& revision, const std::string& instance_id) {
  Instance* instance = state_.FindInstance(revision.key(), instance_id);
  if (instance == nullptr) return 0;
  instance->Restore();
  return revision.waiting_workers.load(std::memory_order_seq_cst);
}

std::optional<v1::ActivatorMessage> ControlState::InstanceLoads() {
  const auto changes = state_.TakeLoadChanges();
  if (changes.empty()) return std::nullopt;
  v1::ActivatorMessage message;
  for (const auto& [id, inside] : changes) {
    v1::InstanceLoad& load = *message.mutable_loads()->add_loads();
    load.set_instance_id(id);
    load.set_in_flight(inside);
  }
  return message;
}

std::optional<v1::LoadReport> ControlState::Demand(Revision& revision, WallTime queued) {
  const auto line = ledger_.Demand(revision, queued);
  return line ? std::optional(ToProto(reporter_, {*line})) : std::nullopt;
}

v1::LoadReport ControlState::Changes() { return ToProto(reporter_, ledger_.Changes()); }

v1::LoadReport ControlState::All() { return ToProto(reporter_, ledger_.All()); }

}  // namespace updraft::activator

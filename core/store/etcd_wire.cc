#include "core/store/etcd_wire.h"

#include <algorithm>
#include <utility>

namespace updraft::store {
namespace {

// After all keys that start with `prefix`; "\0" is etcd's word for "no end".
std::string EndOf(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::string(1, '\0');
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace

EtcdKeys::EtcdKeys(std::string prefix, std::string root)
    : prefix_(std::move(prefix)),
      root_(std::move(root)),
      whole_{prefix_ + root_ + '\0', EndOf(prefix_ + root_)},
      barrier_(prefix_ + root_ + '\0' + "barrier") {}

Status EtcdKeys::Check(const Transaction& transaction) const {
  const auto check = [this](const std::string& key) -> Status {
    const bool ours =
        key.size() > root_.size() && key.starts_with(root_) && key[root_.size()] != '\0';
    if (ours) return Ok();
    return Error{Code::kInvalidArgument, "key outside of " + root_ + ": " + key};
  };
  for (const Condition& condition : transaction.conditions) {
    if (Status checked = check(condition.key); !checked) return checked;
  }
  for (const Operation& operation : transaction.operations) {
    if (Status checked = check(operation.key); !checked) return checked;
  }
  return Ok();
}

KeyRange EtcdKeys::Clip(const KeyRange& keys) const {
  KeyRange clipped{std::max(prefix_ + keys.begin, prefix_ + root_ + '\x01'), whole_.end};
  const bool to_the_end = whole_.end.size() == 1 && whole_.end[0] == '\0';
  if (!keys.end.empty() && (to_the_end || prefix_ + keys.end < whole_.end))
    clipped.end = prefix_ + keys.end;
  return clipped;
}

etcdserverpb::TxnRequest ToEtcd(const Transaction& transaction, const EtcdKeys& keys) {
  etcdserverpb::TxnRequest request;
  for (const Condition& condition : transaction.conditions) {
    const std::string key = keys.ToEtcd(condition.key);
    etcdserverpb::Compare& compare = *request.add_compare();
    compare.set_key(key);
    compare.set_target(etcdserverpb::Compare::MOD);
    compare.set_result(etcdserverpb::Compare::EQUAL);
    compare.set_mod_revision(condition.mod_revision);
    // Should it not hold: what is there?
    etcdserverpb::RangeRequest& look = *request.add_failure()->mutable_request_range();
    look.set_key(key);
    look.set_keys_only(true);
  }
  for (const Operation& operation : transaction.operations) {
    etcdserverpb::RequestOp& op = *request.add_success();
    if (operation.type == Operation::Type::kPut) {
      op.mutable_request_put()->set_key(keys.ToEtcd(operation.key));
      op.mutable_request_put()->set_value(operation.value);
    } else {
      op.mutable_request_delete_range()->set_key(keys.ToEtcd(operation.key));
    }
  }
  return request;
}

Outcome FromEtcd(const etcdserverpb::TxnResponse& response, const Transaction& transaction) {
  Outcome outcome{.applied = response.succeeded(), .revision = response.header().revision()};
  if (outcome.applied) return outcome;
  const int count =
      std::min(response.responses_size(), static_cast<int>(transaction.conditions.size()));
  for (int i = 0; i < count; ++i) {
    const etcdserverpb::RangeResponse& found = response.responses(i).response_range();
    const int64_t actual = found.kvs_size() == 0 ? 0 : found.kvs(0).mod_revision();
    if (actual == transaction.conditions[static_cast<size_t>(i)].mod_revision) continue;
    outcome.conflict_revision = actual;
    break;
  }
  return outcome;
}

KeyValue FromEtcd(const mvccpb::KeyValue& entry, const EtcdKeys& keys) {
  return {.key = keys.FromEtcd(entry.key()),
          .value = entry.value(),
          .create_revision = entry.create_revision(),
          .mod_revision = entry.mod_revision()};
}

Event FromEtcd(const mvccpb::Event& event, const EtcdKeys& keys) {
  if (event.type() == mvccpb::Event::PUT)
    return {.type = Event::Type::kPut, .entry = FromEtcd(event.kv(), keys)};
  return {
      .type = Event::Type::kDelete,
      .entry = {.key = keys.FromEtcd(event.kv().key()), .mod_revision = event.kv().mod_revision()}};
}

}  // namespace updraft::store

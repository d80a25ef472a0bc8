// The store's terms in etcd's messages and back. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/store/store.h"
#include "etcd/rpc.pb.h"

namespace updraft::store {

// Which keys of etcd are the store's, and what they are called there.
//
//   prefix root rest   a key `root rest` of the store
//   prefix root \0...  not seen from above: what the store writes for itself
class EtcdKeys {
 public:
  EtcdKeys(std::string prefix, std::string root);

  std::string ToEtcd(std::string_view key) const { return prefix_ + std::string(key); }
  std::string FromEtcd(std::string_view key) const {
    return std::string(key.substr(prefix_.size()));
  }

  // kInvalidArgument: a key that begins with anything but the root, or with a zero byte after it.
  Status Check(const Transaction& transaction) const;

  // Whether a key of the store is one that it wrote for itself.
  bool IsOwn(std::string_view key) const {
    return key.size() > root_.size() && key[root_.size()] == '\0';
  }

  // The part of `keys` that is in the root, as etcd has it; `end` is never empty.
  KeyRange Clip(const KeyRange& keys) const;
  // All that may be of interest, the store's own keys included.
  const KeyRange& whole() const { return whole_; }
  // Written to see how far a watch has come.
  const std::string& barrier() const { return barrier_; }

 private:
  const std::string prefix_;
  const std::string root_;
  const KeyRange whole_;
  const std::string barrier_;
};

etcdserverpb::TxnRequest ToEtcd(const Transaction& transaction, const EtcdKeys& keys);
Outcome FromEtcd(const etcdserverpb::TxnResponse& response, const Transaction& transaction);

KeyValue FromEtcd(const mvccpb::KeyValue& entry, const EtcdKeys& keys);
Event FromEtcd(const mvccpb::Event& event, const EtcdKeys& keys);

}  // namespace updraft::store

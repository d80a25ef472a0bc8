// Which lineages of activators there are: what a restarted controller has to know of them before they have
// said anything (SlotBroker). Kept in the durable store.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "controller/feeds/routing_sessions.h"
#include "controller/objects/object_store.h"
#include "core/http/task.h"

namespace updraft::controller {

// Loop thread only.
class KnownActivators final : public ActivatorMemory {
 public:
  // Calls back after that time.
  using Later = std::function<void(Nanos, std::function<void()>)>;

  // `durable` is loaded and must outlive this. `on_remembered` is told of each lineage that is kept.
  KnownActivators(ObjectStore& durable, Later later, std::function<void(const std::string&)> on_remembered)
      : durable_(durable), later_(std::move(later)), on_remembered_(std::move(on_remembered)) {}

  std::set<std::string> Lineages() const;

  void Remember(const std::string& lineage) override { Wish(lineage, true); }
  void Forget(const std::string& lineage) override { Wish(lineage, false); }

 private:
  // What is to be, until it is so; tried again until it is.
  struct Wished {
    bool kept = false;
    bool under_way = false;
    int failures = 0;  // in a row
  };
  void Wish(const std::string& lineage, bool kept);
  void TryAgain(const std::string& lineage, const Error& error);
  http::Task<void> Carry(std::string lineage);
  http::Task<Status> Write(std::string lineage, bool kept);

  ObjectStore& durable_;
  const Later later_;
  const std::function<void(const std::string&)> on_remembered_;
  std::map<std::string, Wished> wishes_;
  const std::shared_ptr<const int> life_ = std::make_shared<int>(0);
  http::Scope scope_;
};

}  // namespace updraft::controller

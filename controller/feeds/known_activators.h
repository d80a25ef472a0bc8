// Which lineages of activators there are: what a restarted controller has to know of them before they have
// said anything (SlotBroker). Kept in the durable store.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "controller/feeds/routing_sessions.h"
#include "controller/objects/record_keeper.h"

namespace updraft::controller {

// Loop thread only.
class KnownActivators final : public ActivatorMemory {
 public:
  // `durable` is loaded and must outlive this. `on_remembered` is told of each lineage that is kept.
  KnownActivators(ObjectStore& durable, RecordKeeper::Later later,
                  std::function<void(const std::string&)> on_remembered);

  std::set<std::string> Lineages() const;

  void Remember(const std::string& lineage) override { records_.Wish(lineage, Json()); }
  void Forget(const std::string& lineage) override { records_.Wish(lineage, std::nullopt); }

 private:
  RecordKeeper records_;
};

}  // namespace updraft::controller

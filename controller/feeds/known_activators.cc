#include "controller/feeds/known_activators.h"

#include <utility>

#include "core/api/meta.h"

namespace updraft::controller {

KnownActivators::KnownActivators(ObjectStore& durable, RecordKeeper::Later later,
                                 std::function<void(const std::string&)> on_remembered)
    : records_(durable, {.resource = "updraft.dev/activators", .kind = "KnownActivator", .noun = "activator"},
               std::move(later),
               [on_remembered = std::move(on_remembered)](const std::string& lineage, const RecordKeeper::Spec& kept) {
                 if (kept) on_remembered(lineage);
               }) {}

std::set<std::string> KnownActivators::Lineages() const {
  std::set<std::string> lineages;
  for (const auto& record : records_.All()) lineages.insert(api::NameOf(*record));
  return lineages;
}

}  // namespace updraft::controller

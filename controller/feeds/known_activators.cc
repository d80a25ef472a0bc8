#include "controller/feeds/known_activators.h"

#include <utility>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/base/backoff.h"
#include "core/base/log.h"

namespace updraft::controller {
namespace {

constexpr char kKnownActivators[] = "updraft.dev/activators";  // not served by the API
constexpr BackoffPolicy kWriteRetry = {.first = Millis(200), .most = Seconds(30)};

ObjectKey KeyOfLineage(const std::string& lineage) { return {kKnownActivators, "", lineage}; }

Json RecordOfLineage(const std::string& lineage) {
  return {{"apiVersion", "updraft.dev/v1"}, {"kind", "KnownActivator"}, {"metadata", {{"name", lineage}}}};
}

}  // namespace

std::set<std::string> KnownActivators::Lineages() const {
  std::set<std::string> lineages;
  for (const auto& record : durable_.List(kKnownActivators, "").objects) lineages.insert(api::NameOf(*record));
  return lineages;
}

void KnownActivators::Wish(const std::string& lineage, bool kept) {
  Wished& wish = wishes_[lineage];
  wish.kept = kept;
  if (!std::exchange(wish.under_way, true)) scope_.Spawn(Carry(lineage));
}

http::Task<void> KnownActivators::Carry(std::string lineage) {
  while (true) {
    const bool kept = wishes_.at(lineage).kept;
    http::Task<Status> write = Write(lineage, kept);
    const Status written = co_await write;
    Wished& wish = wishes_.at(lineage);
    if (!written) {
      TryAgain(lineage, written.error());
      co_return;
    }
    if (wish.kept != kept) continue;  // there is another wish by now
    wishes_.erase(lineage);
    if (kept) on_remembered_(lineage);
    co_return;
  }
}

void KnownActivators::TryAgain(const std::string& lineage, const Error& error) {
  Wished& wish = wishes_.at(lineage);
  if (++wish.failures == 1) {
    Log(Level::kWarn, wish.kept ? "activator_not_remembered" : "activator_not_forgotten",
        {{"activator", lineage}, {"error", error.message}});
  }
  later_(BackoffDelay(kWriteRetry, wish.failures, 1.0), [this, lineage, life = std::weak_ptr(life_)] {
    if (!life.expired()) scope_.Spawn(Carry(lineage));
  });
}

http::Task<Status> KnownActivators::Write(std::string lineage, bool kept) {
  ObjectKey key = KeyOfLineage(lineage);
  if (!kept) {
    const auto dropped = co_await durable_.Delete(std::move(key), std::nullopt);
    if (dropped || dropped.error().code == Code::kNotFound) co_return Ok();
    co_return dropped.error();
  }
  Json record = RecordOfLineage(lineage);
  const auto made = co_await durable_.Create(std::move(key), std::move(record));
  if (made || made.error().code == Code::kAlreadyExists) co_return Ok();
  co_return made.error();
}

}  // namespace updraft::controller

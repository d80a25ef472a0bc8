#include "controller/objects/record_keeper.h"

#include <utility>

#include "core/base/backoff.h"
#include "core/base/log.h"

namespace updraft::controller {
namespace {

constexpr BackoffPolicy kWriteRetry = {.first = Millis(200), .most = Seconds(30)};

}  // namespace

void RecordKeeper::Wish(const std::string& name, Spec spec) {
  Pending& wish = wishes_[name];
  wish.spec = std::move(spec);
  if (!std::exchange(wish.under_way, true)) scope_.Spawn(Carry(name));
}

const RecordKeeper::Spec* RecordKeeper::Wished(const std::string& name) const {
  const auto it = wishes_.find(name);
  return it == wishes_.end() ? nullptr : &it->second.spec;
}

std::shared_ptr<const Json> RecordKeeper::Get(const std::string& name) const {
  const auto stored = store_.Get(KeyOfRecord(name));
  return stored ? stored->object : nullptr;
}

std::vector<std::shared_ptr<const Json>> RecordKeeper::All() const {
  return store_.List(kind_.resource, "").objects;
}

http::Task<void> RecordKeeper::Carry(std::string name) {
  while (true) {
    const Spec spec = wishes_.at(name).spec;
    http::Task<Status> write = Write(name, spec);
    const Status written = co_await write;
    const bool latest = wishes_.at(name).spec == spec;
    if (written && latest) {
      wishes_.erase(name);
      if (on_kept_) on_kept_(name, spec);
      co_return;
    }
    // Another write was faster, or there is another wish by now.
    if (written || written.error().code == Code::kAborted) continue;
    TryAgain(name, written.error());
    co_return;
  }
}

void RecordKeeper::TryAgain(const std::string& name, const Error& error) {
  Pending& wish = wishes_.at(name);
  if (++wish.failures == 1) {
    Log(Level::kWarn, kind_.noun + (wish.spec ? "_not_remembered" : "_not_forgotten"),
        {{kind_.noun, name}, {"error", error.message}});
  }
  later_(BackoffDelay(kWriteRetry, wish.failures, 1.0),
         [this, name, life = std::weak_ptr(life_)] {
           if (!life.expired()) scope_.Spawn(Carry(name));
         });
}

http::Task<Status> RecordKeeper::Write(std::string name, Spec spec) {
  ObjectKey key = KeyOfRecord(name);
  if (!spec) {
    const auto dropped = co_await store_.Delete(std::move(key), std::nullopt);
    if (dropped || dropped.error().code == Code::kNotFound) co_return Ok();
    co_return dropped.error();
  }
  Json record = {
      {"apiVersion", "updraft.dev/v1"}, {"kind", kind_.kind}, {"metadata", {{"name", name}}}};
  if (!spec->is_null()) record["spec"] = *spec;
  const auto stored = store_.Get(key);
  if (stored && stored->object->value("spec", Json()) == *spec) co_return Ok();
  Result<Stored> kept = Error{};
  if (stored) {
    kept = co_await store_.Update(std::move(key), std::move(record), stored->revision);
  } else {
    kept = co_await store_.Create(std::move(key), std::move(record));
  }
  if (kept) co_return Ok();
  const Code code = kept.error().code;
  const bool raced = code == Code::kAlreadyExists || code == Code::kNotFound;
  co_return raced ? Error{Code::kAborted, kept.error().message} : kept.error();
}

}  // namespace updraft::controller

#include "core/store/open_store.h"

#include <utility>

#include "core/store/etcd_store.h"
#include "core/store/memory_store.h"
#include "core/store/sqlite_store.h"

namespace updraft::store {
namespace {

Result<std::unique_ptr<Store>> OpenEtcd(const std::string& spec, Post post, const EtcdTls& tls) {
  Result<EtcdOptions> options = ParseEtcdSpec(spec);
  if (!options) return options.error();
  options->tls = tls;
  options->root = kRoot;
  Result<std::unique_ptr<EtcdStore>> store = EtcdStore::Open(*std::move(options), std::move(post));
  if (!store) return store.error();
  return std::unique_ptr<Store>(std::move(store).value());
}

}  // namespace

std::unique_ptr<Store> MakeSoftStore(const Clock& clock, Post post) {
  return std::make_unique<MemoryStore>(std::move(post), UnixNanos(clock.Wall()) / 1000);
}

Result<std::unique_ptr<Store>> OpenStore(const std::string& spec, const Clock& clock, Post post,
                                         const EtcdTls& tls) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (spec == "memory:") return MakeSoftStore(clock, std::move(post));
  if (spec.starts_with(kEtcdScheme)) return OpenEtcd(spec, std::move(post), tls);
  if (!spec.starts_with(kSqlite) || spec.size() == kSqlite.size()) {
    return Error{Code::kInvalidArgument,
                 "store \"" + spec + "\" is none of sqlite:PATH, etcd://HOST:PORT and memory:"};
  }
  Result<std::unique_ptr<SqliteStore>> store =
      SqliteStore::Open(spec.substr(kSqlite.size()), std::move(post));
  if (!store) return store.error();
  return std::unique_ptr<Store>(std::move(store).value());
}

}  // namespace updraft::store

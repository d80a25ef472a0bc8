// The store that a flag names.
#pragma once

#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/store/etcd_options.h"
#include "core/store/store.h"

namespace updraft::store {

// What all keys begin with.
inline constexpr std::string_view kRoot = "/updraft/";

// `spec` is "sqlite:PATH", "etcd://HOST:PORT,HOST:PORT.../PREFIX" or "memory:"; `tls` is for etcd.
// A memory store's revisions start at the wall clock's microseconds, which no earlier one can have
// reached. kInvalidArgument: another spec.
Result<std::unique_ptr<Store>> OpenStore(const std::string& spec, const Clock& clock, Post post,
                                         const EtcdTls& tls = {});

// A store for soft state whose revisions start as said above.
std::unique_ptr<Store> MakeSoftStore(const Clock& clock, Post post);

}  // namespace updraft::store

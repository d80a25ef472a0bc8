// What the data plane knows about a revision, without its instances. Pure; immutable once published.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/clock.h"

namespace updraft::activator {

enum class Protocol { kHttp1, kH2c };

// Why a revision cannot serve, for the client's eyes.
struct RevisionFailure {
  std::string reason = {};
  std::string message = {};

  bool operator==(const RevisionFailure&) const = default;
};

struct RevisionSettings {
  std::string key = {};             // "namespace/name"
  std::string namespace_name = {};
  std::string name = {};
  std::string service = {};
  std::string configuration = {};
  uint32_t container_concurrency = 0;      // requests at once in one instance; 0: unlimited
  Nanos timeout = Seconds(300);            // of the whole request, queueing included
  Nanos response_start_timeout = Nanos(0);  // 0: off
  Nanos idle_timeout = Nanos(0);            // 0: off
  Nanos silent_stream_timeout = Nanos(0);   // of a response that has begun; 0: off
  Protocol protocol = Protocol::kHttp1;
  // Set while the revision cannot serve: held requests are answered 503 with it at once.
  std::optional<RevisionFailure> failure = std::nullopt;

  bool operator==(const RevisionSettings&) const = default;
};

}  // namespace updraft::activator

// The config-* ConfigMaps as they are made at the first start: every key that Knative documents,
// its default and what it does here, in the `_example` that `kubectl edit` shows. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.h"

namespace updraft::api {

inline constexpr char kExampleKey[] = "_example";
inline constexpr char kExampleChecksumAnnotation[] = "knative.dev/example-checksum";

struct DocumentedKey {
  std::string_view map;  // config-defaults
  std::string_view key;
  std::string_view value;  // the default; empty: not set
  std::string_view help;   // one sentence; says so where the key has no effect
};
std::span<const DocumentedKey> DocumentedKeys();

// Knative's checksum of an example, by which it notices that one was edited.
std::string ExampleChecksum(std::string_view example);

// All of them, of namespace knative-serving, as objects to be created.
std::vector<Json> ExampleConfigMaps();

}  // namespace updraft::api

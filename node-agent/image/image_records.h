// The names that containerd knows images by. All calls block; safe for concurrent use.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "node-agent/image/containerd_scope.h"
#include "node-agent/image/manifest.h"

namespace updraft::node_agent {

// Label of images that came from an archive: they win over the registry's.
inline constexpr char kLoadedLabel[] = "updraft.dev/loaded";

struct ImageRecord {
  std::string name;  // ImageReference::Name()
  Descriptor target;
  int64_t created_at_ns = 0;  // wall clock, unix
  bool loaded = false;
};

Result<std::vector<ImageRecord>> ListImageRecords(const ContainerdScope& scope);

// nullopt: no such name.
Result<std::optional<ImageRecord>> FindImageRecord(const ContainerdScope& scope,
                                                   const std::string& name);

// Creates or replaces.
Status PutImageRecord(const ContainerdScope& scope, const ImageRecord& record);

// No error if there is no such name.
Status DeleteImageRecord(const ContainerdScope& scope, const std::string& name);

}  // namespace updraft::node_agent

// JSON and YAML texts become documents, within limits. Pure.
//
// YAML is read as Kubernetes reads it (YAML 1.1 by way of JSON): plain yes, no, on, off, y, n are
// booleans, 010 is eight, dates stay text, keys become text, anchors and merge keys work.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.h"
#include "core/base/result.h"

namespace updraft::api {

struct ReadLimits {
  size_t documents_max = 10'000;  // of a stream, empty ones too
  size_t bytes_max = 3 << 20;
  size_t depth_max = 100;  // of objects and arrays
  size_t values_max =
      300'000;  // after aliases were followed, long texts counting more: an alias bomb ends here
};

struct Document {
  Json value = nullptr;
  // Paths of keys that an object has twice; the last one counts. Strict readers refuse these.
  std::vector<std::string> duplicates = {};
};

// kInvalidArgument with line and column: not JSON; kResourceExhausted: beyond the limits.
Result<Document> ReadJson(std::string_view text, const ReadLimits& limits = {});

// All documents of a stream; empty ones are left out.
Result<std::vector<Document>> ReadYaml(std::string_view text, const ReadLimits& limits = {});

// What a plain YAML scalar stands for. kInvalidArgument: infinity, not-a-number, which JSON has
// not.
Result<Json> ResolvePlainScalar(std::string_view text);

// Valid UTF-8, without surrogates and overlong forms.
bool IsUtf8(std::string_view text);

}  // namespace updraft::api

// Bodies: JSON and YAML texts become documents within the limits, whatever they hold.
#include <algorithm>
#include <cstdint>
#include <string>

#include "core/api/read.h"
#include "core/api/write_yaml.h"
#include "core/base/check.h"

namespace updraft::fuzz {
namespace {

// Small, so that inputs of a few kilobytes reach them.
constexpr api::ReadLimits kLimits = {.bytes_max = 4096, .depth_max = 20, .values_max = 2000};

struct Size {
  size_t depth = 0;
  size_t values = 0;
};

Size Measure(const Json& value) {
  Size size{.depth = 0, .values = 1};
  if (!value.is_structured()) return size;
  for (const Json& inner : value) {
    const Size of_inner = Measure(inner);
    size.depth = std::max(size.depth, of_inner.depth);
    size.values += of_inner.values;
  }
  ++size.depth;
  return size;
}

bool HasFloats(const Json& value) {
  if (!value.is_structured()) return value.is_number_float();
  return std::any_of(value.begin(), value.end(), HasFloats);
}

void CheckWithinLimits(const Json& value) {
  const Size size = Measure(value);
  UPDRAFT_CHECK(size.depth <= kLimits.depth_max);
  UPDRAFT_CHECK(size.values <= kLimits.values_max);
}

void CheckJson(std::string_view text) {
  const Result<api::Document> read = api::ReadJson(text, kLimits);
  if (!read) return;
  CheckWithinLimits(read->value);
  // What was read can be written, and reads as the same again. Floats may be longer when written.
  const Result<api::Document> again = api::ReadJson(read->value.dump());
  UPDRAFT_CHECK(again && again->value == read->value && again->duplicates.empty());
}

void CheckYaml(std::string_view text) {
  const Result<std::vector<api::Document>> read = api::ReadYaml(text, kLimits);
  if (!read) return;
  for (const api::Document& document : *read) {
    CheckWithinLimits(document.value);
    // Objects are what is ever written.
    if (!document.value.is_object() || HasFloats(document.value)) continue;
    const Result<std::vector<api::Document>> again = api::ReadYaml(api::WriteYaml(document.value));
    UPDRAFT_CHECK(again && again->size() == 1 && again->front().value == document.value);
  }
}

}  // namespace
}  // namespace updraft::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  updraft::fuzz::CheckJson(text);
  updraft::fuzz::CheckYaml(text);
  return 0;
}

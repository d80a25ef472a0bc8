// Patches: a document, a zero byte, and what is to change in it, by each of the ways.
#include <algorithm>
#include <cstdint>
#include <string>

#include "core/api/patch.h"
#include "core/api/read.h"
#include "core/base/check.h"

namespace updraft::fuzz {
namespace {

using api::Schema;

constexpr size_t kDepthMax = 100;  // of a document that is sent whole

size_t Depth(const Json& value) {
  if (!value.is_structured()) return 0;
  size_t depth = 0;
  for (const Json& inner : value) depth = std::max(depth, Depth(inner));
  return depth + 1;
}

// Every kind of list and member that patches treat in a way of their own.
const Schema& Shape() {
  static const api::SchemaRef shape = [] {
    const api::SchemaRef port = api::ObjectOf(
        "", {{.name = "p", .schema = api::IntOrString()}, {.name = "x", .schema = api::Text()}});
    const api::SchemaRef container =
        api::ObjectOf("", {{.name = "n", .schema = api::Text()},
                           {.name = "k", .schema = api::ListByKey("p", port)},
                           {.name = "l", .schema = api::ListOf(api::Text())}});
    return api::ObjectOf("", {{.name = "k", .schema = api::ListByKey("n", container)},
                              {.name = "s", .schema = api::SetOf(api::Text())},
                              {.name = "m", .schema = api::MapOf(api::Text())},
                              {.name = "l", .schema = api::ListOf(api::AnyValue())},
                              {.name = "a", .schema = api::AnyObject()}});
  }();
  return *shape;
}

void Check(const Json& target, const Json& patch) {
  const Json merged = api::MergePatch(target, patch);
  UPDRAFT_CHECK(api::MergePatch(merged, patch) == merged);
  UPDRAFT_CHECK(Depth(merged) <= kDepthMax);

  const Result<Json> changed = api::JsonPatch(target, patch);
  if (changed) UPDRAFT_CHECK(Depth(*changed) <= kDepthMax);
  if (changed) UPDRAFT_CHECK(changed->dump().size() < (64u << 20));

  const Result<Json> strategic = api::StrategicMergePatch(Shape(), target, patch);
  if (strategic) UPDRAFT_CHECK(Depth(*strategic) <= kDepthMax);
}

}  // namespace
}  // namespace updraft::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t zero = std::min(text.find('\0'), text.size());
  const Result<api::Document> target = api::ReadJson(text.substr(0, zero));
  const Result<api::Document> patch = api::ReadJson(text.substr(std::min(zero + 1, text.size())));
  if (target && patch) fuzz::Check(target->value, patch->value);
  return 0;
}

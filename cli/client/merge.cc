#include "cli/client/merge.h"

#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/read.h"

namespace updraft::cli {

Json WithLastApplied(const Json& document) {
  Json plain = document;
  api::Erase(plain, {"metadata", "annotations", kLastApplied});
  Json marked = plain;
  api::SetAnnotation(marked, kLastApplied, api::ToText(plain) + "\n");
  return marked;
}

Json LastApplied(const Json& current) {
  const Result<api::Document> document = api::ReadJson(api::AnnotationOf(current, kLastApplied));
  if (!document || !document->value.is_object()) return nullptr;
  return document->value;
}

Json ThreeWayMergePatch(const Json& original, const Json& modified, const Json& current) {
  Json patch = Json::object();
  for (const auto& [key, wanted] : modified.items()) {
    const auto found = current.find(key);
    const bool is_there = found != current.end();
    if (wanted.is_null()) {  // the user wrote that he wants it gone
      if (is_there && !found->is_null()) patch[key] = nullptr;
    } else if (wanted.is_object() && is_there && found->is_object()) {
      const auto before = original.is_object() ? original.find(key) : original.end();
      const bool has_before = original.is_object() && before != original.end();
      Json inner = ThreeWayMergePatch(has_before ? *before : Json(), wanted, *found);
      if (!inner.empty()) patch[key] = std::move(inner);
    } else if (!is_there || *found != wanted) {
      patch[key] = wanted;
    }
  }
  if (!original.is_object()) return patch;
  for (const auto& [key, was] : original.items()) {
    if (!modified.contains(key) && current.contains(key)) patch[key] = nullptr;
  }
  return patch;
}

}  // namespace updraft::cli

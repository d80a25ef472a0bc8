#include "node-agent/image/image_catalog.h"

#include <algorithm>

namespace updraft::node_agent {

PullPolicy ParsePullPolicy(std::string_view text) {
  if (text == "Always") return PullPolicy::kAlways;
  if (text == "IfNotPresent") return PullPolicy::kIfNotPresent;
  if (text == "Never") return PullPolicy::kNever;
  return PullPolicy::kDefault;
}

bool AsksFirst(const ImageReference& reference, PullPolicy policy) {
  return policy == PullPolicy::kAlways ||
         (policy == PullPolicy::kDefault && reference.tag == "latest");
}

void ImageCatalog::Add(const std::vector<KnownImage>& images) {
  for (const KnownImage& image : images) by_name_.insert_or_assign(image.record.name, image);
}

std::shared_ptr<const UnpackedImage> ImageCatalog::Find(const ImageReference& reference,
                                                        PullPolicy policy) const {
  if (!reference.digest.empty()) {
    // The usual case: the name by digest. Else the same image may be here under another name.
    const auto it = by_name_.find(reference.Name());
    if (it != by_name_.end() && it->second.image != nullptr) return it->second.image;
    for (const auto& [name, known] : by_name_) {
      if (known.image == nullptr) continue;
      if (known.image->digest == reference.digest ||
          known.image->manifest_digest == reference.digest) {
        return known.image;
      }
    }
    return nullptr;
  }
  const auto it = by_name_.find(reference.Name());
  if (it == by_name_.end()) return nullptr;
  const bool local_only = it->second.record.loaded || IsLoadedOnlyRegistry(reference.registry);
  return AsksFirst(reference, policy) && !local_only ? nullptr : it->second.image;
}

std::string ImageCatalog::LoadedDigest(const ImageReference& reference) const {
  const auto it = by_name_.find(reference.Name());
  if (it == by_name_.end()) return "";
  const bool local = it->second.record.loaded || IsLoadedOnlyRegistry(reference.registry);
  return local ? it->second.record.target.digest : "";
}

std::vector<std::string> ImageCatalog::NamesToRemove(const ImageReference& reference) const {
  const auto it = by_name_.find(reference.Name());
  if (it == by_name_.end()) return {};
  std::vector<std::string> names = {reference.Name()};
  if (!reference.digest.empty()) return names;
  const std::string& digest = it->second.record.target.digest;
  const std::string by_digest = reference.RepositoryName() + "@" + digest;
  if (by_name_.count(by_digest) > 0 &&
      !HasOtherTag(reference.RepositoryName(), digest, reference.Name())) {
    names.push_back(by_digest);
  }
  return names;
}

bool ImageCatalog::HasOtherTag(const std::string& repository, const std::string& digest,
                               const std::string& than) const {
  return std::ranges::any_of(by_name_, [&](const auto& other) {
    return other.first != than && other.first.starts_with(repository + ":") &&
           other.second.record.target.digest == digest;
  });
}

void ImageCatalog::Forget(const std::vector<std::string>& names) {
  for (const std::string& name : names) by_name_.erase(name);
}

void ImageCatalog::ForgetDigest(const std::string& digest) {
  for (auto& [name, known] : by_name_) {
    if (known.record.target.digest == digest) known.image = nullptr;
  }
}

std::vector<ImageEntry> ImageCatalog::List() const {
  std::vector<ImageEntry> entries;
  for (const auto& [name, known] : by_name_) {
    const size_t at = name.find('@');
    if (at != std::string::npos &&
        HasOtherTag(name.substr(0, at), known.record.target.digest, name)) {
      continue;
    }
    entries.push_back({.reference = name,
                       .digest = known.record.target.digest,
                       .size_bytes = known.image != nullptr ? known.image->size_bytes : 0,
                       .created_at_ns = known.record.created_at_ns,
                       .loaded = known.record.loaded,
                       .unpacked = known.image != nullptr});
  }
  return entries;
}

}  // namespace updraft::node_agent

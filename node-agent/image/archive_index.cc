#include "node-agent/image/archive_index.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "node-agent/image/digest.h"
#include "node-agent/image/json_fields.h"
#include "node-agent/image/reference.h"

namespace updraft::node_agent {
namespace {

using nlohmann::json;

constexpr int kLinksMax = 10;

Error NotAnArchive(const std::string& why) {
  return {Code::kInvalidArgument, "not a usable image archive: " + why};
}

// "my-app" of "/tmp/My App.tar.gz": something that can be a repository.
std::string NameFromFile(std::string_view file) {
  file = file.substr(file.rfind('/') == std::string_view::npos ? 0 : file.rfind('/') + 1);
  for (const std::string_view end : {".gz", ".tgz", ".zst", ".tar", ".oci", ".docker"}) {
    if (file.ends_with(end)) file.remove_suffix(end.size());
  }
  std::string name;
  for (const char c : file) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      name += static_cast<char>(std::tolower(byte));
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (name.ends_with('-')) name.pop_back();
  return name;
}

// The user's name, or the written one: there a bare word is a tag, as OCI's annotation has it;
// anything with a slash or colon is a whole reference.
Result<std::string> NameFrom(const std::string& written, const ArchiveNaming& naming) {
  std::string text = naming.reference.empty() ? written : naming.reference;
  if (naming.reference.empty() && text.find_first_of(":/@") == std::string::npos) {
    const std::string stem = NameFromFile(naming.file_name);
    if (stem.empty()) return NotAnArchive("it does not name its image; give it a reference");
    text = stem + ":" + (written.empty() ? "latest" : written);
  }
  auto reference = ParseReference(text);
  if (!reference) return reference.error();
  return reference->Name();
}

const StoredFile* FileAt(const ArchiveContents& contents, std::string path) {
  path = NormalisedPath(path);
  for (int i = 0; i < kLinksMax; ++i) {
    if (const auto file = contents.files.find(path); file != contents.files.end()) {
      return &file->second;
    }
    const auto link = contents.links.find(path);
    if (link == contents.links.end()) return nullptr;
    path = link->second;
  }
  return nullptr;
}

// The names of the one image in a docker manifest.json, for an index.json without any.
std::vector<std::string> DockerTags(const ArchiveContents& contents) {
  const auto it = contents.documents.find("manifest.json");
  if (it == contents.documents.end()) return {};
  const json document = ParseJson(it->second);
  if (!document.is_array() || document.size() != 1) return {};
  return TextsOf(document.front(), "RepoTags");
}

std::vector<std::string> WrittenNames(const Descriptor& manifest, const ArchiveContents& contents,
                                      bool only_one) {
  const auto annotation = [&manifest](const char* key) {
    const auto it = manifest.annotations.find(key);
    return it == manifest.annotations.end() ? std::string() : it->second;
  };
  const std::string full = annotation("io.containerd.image.name");
  if (!full.empty()) return {full};
  const std::string name = annotation("org.opencontainers.image.ref.name");
  if (name.find_first_of(":/@") != std::string::npos) return {name};
  if (only_one) {
    std::vector<std::string> tags = DockerTags(contents);
    if (!tags.empty()) return tags;
  }
  return {name};
}

// Manifests that carry one name are that image for several platforms.
Result<std::vector<ArchiveImage>> ImagesOfLayout(const std::string& text,
                                                 const ArchiveContents& contents,
                                                 const ArchiveNaming& naming,
                                                 const Platform& host) {
  const auto parsed = ParseManifest(text, kOciIndex);
  if (!parsed || !std::holds_alternative<Index>(*parsed)) {
    return NotAnArchive("its index.json is no image index");
  }
  const Index& index = std::get<Index>(*parsed);
  std::map<std::string, Index> by_name;
  for (const Descriptor& manifest : index.manifests) {
    for (const std::string& name : WrittenNames(manifest, contents, index.manifests.size() == 1)) {
      auto full = NameFrom(name, naming);
      if (!full) return full.error();
      by_name[*full].manifests.push_back(manifest);
    }
  }
  std::map<std::string, ArchiveImage> by_digest;
  for (const auto& [name, candidates] : by_name) {
    Result<Descriptor> root = candidates.manifests.front();
    if (candidates.manifests.size() > 1) root = ChoosePlatform(candidates, host);
    if (!root) return root.error();
    root->annotations.clear();
    ArchiveImage& image = by_digest[root->digest];
    image.root = *root;
    image.names.push_back(name);
  }
  std::vector<ArchiveImage> images;
  for (auto& [digest, image] : by_digest) images.push_back(std::move(image));
  if (images.empty()) return NotAnArchive("its index.json names no image");
  return images;
}

// `docker save` in its old form has no manifest: it is made here, always the same for the same
// image.
Result<ArchiveImage> DockerImage(const json& entry, const ArchiveContents& contents,
                                 const ArchiveNaming& naming) {
  const std::string config_path = TextOf(entry, "Config");
  const StoredFile* config = FileAt(contents, config_path);
  if (config == nullptr) return NotAnArchive("config \"" + config_path + "\" is missing");
  json layers = json::array();
  for (const std::string& path : TextsOf(entry, "Layers")) {
    const StoredFile* layer = FileAt(contents, path);
    if (layer == nullptr) return NotAnArchive("layer \"" + path + "\" is missing");
    layers.push_back(
        {{"mediaType", kDockerLayer}, {"size", layer->size}, {"digest", layer->digest}});
  }
  const json manifest = {
      {"schemaVersion", 2},
      {"mediaType", kDockerManifest},
      {"config",
       {{"mediaType", kDockerConfig}, {"size", config->size}, {"digest", config->digest}}},
      {"layers", std::move(layers)}};
  ArchiveImage image;
  image.manifest = manifest.dump();
  image.root = {.media_type = kDockerManifest,
                .digest = DigestOf(image.manifest),
                .size = static_cast<int64_t>(image.manifest.size())};
  std::vector<std::string> written = TextsOf(entry, "RepoTags");
  if (!naming.reference.empty() || written.empty()) written = {""};
  for (const std::string& name : written) {
    auto full = NameFrom(name, naming);
    if (!full) return full.error();
    image.names.push_back(std::move(full).value());
  }
  return image;
}

Result<std::vector<ArchiveImage>> ImagesOfDocker(const std::string& text,
                                                 const ArchiveContents& contents,
                                                 const ArchiveNaming& naming) {
  const json document = ParseJson(text);
  if (!document.is_array() || document.empty()) {
    return NotAnArchive("its manifest.json names no image");
  }
  std::vector<ArchiveImage> images;
  for (const json& entry : document) {
    auto image = DockerImage(entry, contents, naming);
    if (!image) return image.error();
    images.push_back(std::move(image).value());
  }
  return images;
}

}  // namespace

Result<std::vector<ArchiveImage>> ImagesOf(const ArchiveContents& contents,
                                           const ArchiveNaming& naming, const Platform& host) {
  const auto layout = contents.documents.find("index.json");
  const auto docker = contents.documents.find("manifest.json");
  if (layout == contents.documents.end() && docker == contents.documents.end()) {
    return NotAnArchive("it has neither index.json (OCI) nor manifest.json (docker save)");
  }
  auto images = layout != contents.documents.end()
                    ? ImagesOfLayout(layout->second, contents, naming, host)
                    : ImagesOfDocker(docker->second, contents, naming);
  if (images && images->size() > 1 && !naming.reference.empty()) {
    return Error{Code::kInvalidArgument, "the archive holds " + std::to_string(images->size()) +
                                             " images: one reference cannot name them all"};
  }
  return images;
}

bool IsArchiveDocument(std::string_view path) {
  return path == "index.json" || path == "manifest.json";
}

std::string NormalisedPath(std::string_view path) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return "";
    } else {
      parts.pop_back();
    }
  }
  std::string normal;
  for (const std::string_view part : parts) {
    normal += (normal.empty() ? "" : "/") + std::string(part);
  }
  return normal;
}

std::string LinkTarget(std::string_view path, std::string_view target) {
  const size_t slash = path.rfind('/');
  const std::string folder(slash == std::string_view::npos ? "" : path.substr(0, slash + 1));
  return NormalisedPath(target.starts_with('/') ? std::string(target)
                                                : folder + std::string(target));
}

}  // namespace updraft::node_agent

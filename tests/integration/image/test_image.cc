#include "tests/integration/image/test_image.h"

#include <archive.h>
#include <archive_entry.h>

#include <nlohmann/json.hpp>
#include <random>

#include "core/base/check.h"
#include "node-agent/image/digest.h"

namespace updraft::node_agent {
namespace {

using nlohmann::json;

la_ssize_t Append(archive*, void* user, const void* data, size_t size) {
  static_cast<std::string*>(user)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

std::string LayerType(Packing packing) {
  if (packing == Packing::kGzip) return std::string(kOciLayer) + "+gzip";
  if (packing == Packing::kZstd) return std::string(kOciLayer) + "+zstd";
  return kOciLayer;
}

json ToJson(const Descriptor& descriptor) {
  return {{"mediaType", descriptor.media_type},
          {"digest", descriptor.digest},
          {"size", descriptor.size}};
}

Descriptor AddBlob(TestImage& image, const std::string& media_type, const std::string& bytes) {
  const std::string digest = DigestOf(bytes);
  image.blobs[digest] = bytes;
  return {.media_type = media_type, .digest = digest, .size = static_cast<int64_t>(bytes.size())};
}

std::string ConfigText(const std::vector<TestLayer>& layers, const TestImageOptions& options) {
  json diff_ids = json::array();
  for (const TestLayer& layer : layers) diff_ids.push_back(DigestOf(Tar(layer.files)));
  return json({{"os", "linux"},
               {"architecture", options.architecture},
               {"config", {{"Entrypoint", options.command}, {"User", "1000"}, {"Env", {"A=1"}}}},
               {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}}})
      .dump();
}

}  // namespace

std::string Tar(const Files& files, Packing packing) {
  std::string bytes;
  archive* writer = archive_write_new();
  archive_write_set_format_ustar(writer);
  archive_write_set_bytes_in_last_block(writer, 1);  // nothing behind the compressed stream
  if (packing == Packing::kGzip) {
    archive_write_add_filter_gzip(writer);
    archive_write_set_filter_option(writer, "gzip", "timestamp", nullptr);
  }
  if (packing == Packing::kZstd) archive_write_add_filter_zstd(writer);
  UPDRAFT_CHECK(archive_write_open(writer, &bytes, nullptr, Append, nullptr) == ARCHIVE_OK);
  for (const auto& [path, content] : files) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, path.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0755);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    UPDRAFT_CHECK(archive_write_header(writer, entry) == ARCHIVE_OK);
    archive_write_data(writer, content.data(), content.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  return bytes;
}

std::string Noise(size_t size, unsigned seed) {
  std::mt19937 generator(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(generator());
  return bytes;
}

TestImage MakeImage(const std::vector<TestLayer>& layers, const TestImageOptions& options) {
  const bool docker = options.docker_or_oci == "docker";
  TestImage image;
  const Descriptor config =
      AddBlob(image, docker ? kDockerConfig : kOciConfig, ConfigText(layers, options));
  image.config_digest = config.digest;
  json manifest = {{"schemaVersion", 2},
                   {"mediaType", docker ? kDockerManifest : kOciManifest},
                   {"config", ToJson(config)},
                   {"layers", json::array()}};
  for (const TestLayer& layer : layers) {
    const std::string type =
        docker ? std::string(kDockerLayer) + ".gzip" : LayerType(layer.packing);
    image.layers.push_back(AddBlob(image, type, Tar(layer.files, layer.packing)));
    manifest["layers"].push_back(ToJson(image.layers.back()));
  }
  image.root = AddBlob(image, docker ? kDockerManifest : kOciManifest, manifest.dump());
  return image;
}

TestImage MakeIndex(const std::map<std::string, TestImage>& by_architecture) {
  TestImage index;
  json document = {{"schemaVersion", 2}, {"mediaType", kOciIndex}, {"manifests", json::array()}};
  json attestation = ToJson(AddBlob(index, kOciManifest, "{}"));
  attestation["platform"] = {{"os", "unknown"}, {"architecture", "unknown"}};
  document["manifests"].push_back(attestation);
  for (const auto& [architecture, image] : by_architecture) {
    index.blobs.insert(image.blobs.begin(), image.blobs.end());
    json entry = ToJson(image.root);
    entry["platform"] = {{"os", "linux"}, {"architecture", architecture}};
    document["manifests"].push_back(entry);
  }
  index.root = AddBlob(index, kOciIndex, document.dump());
  return index;
}

std::string OciArchive(const TestImage& image, const std::string& ref_name, Packing packing) {
  json root = ToJson(image.root);
  if (!ref_name.empty()) root["annotations"] = {{"org.opencontainers.image.ref.name", ref_name}};
  Files files = {{"oci-layout", R"({"imageLayoutVersion":"1.0.0"})"},
                 {"index.json", json({{"schemaVersion", 2}, {"manifests", {root}}}).dump()}};
  for (const auto& [digest, bytes] : image.blobs) files["blobs/sha256/" + digest.substr(7)] = bytes;
  return Tar(files, packing);
}

std::string DockerArchive(const std::vector<TestLayer>& layers, const std::string& tag,
                          Packing packing) {
  const std::string config = ConfigText(layers, {});
  const std::string config_name = DigestOf(config).substr(7) + ".json";
  Files files = {{config_name, config}};
  json names = json::array();
  for (size_t i = 0; i < layers.size(); ++i) {
    names.push_back(std::to_string(i) + "/layer.tar");
    files[names.back()] = Tar(layers[i].files);
  }
  files["manifest.json"] =
      json::array({{{"Config", config_name}, {"RepoTags", {tag}}, {"Layers", names}}}).dump();
  return Tar(files, packing);
}

}  // namespace updraft::node_agent

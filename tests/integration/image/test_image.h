// Small images made in memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "node-agent/image/manifest.h"

namespace updraft::node_agent {

using Files = std::map<std::string, std::string>;  // content by path

enum class Packing { kPlain, kGzip, kZstd };

// A tar archive of the files.
std::string Tar(const Files& files, Packing packing = Packing::kPlain);

// `size` bytes that do not compress; the same for the same seed.
std::string Noise(size_t size, unsigned seed);

struct TestLayer {
  Files files;
  Packing packing = Packing::kGzip;
};

struct TestImage {
  std::map<std::string, std::string> blobs;  // by digest; manifests too
  Descriptor root;
  std::vector<Descriptor> layers;
  std::string config_digest;
};

struct TestImageOptions {
  std::string architecture = "amd64";
  std::string docker_or_oci = "oci";
  std::vector<std::string> command = {"/app", "serve"};
};

TestImage MakeImage(const std::vector<TestLayer>& layers, const TestImageOptions& options = {});

// An index of the images, one per platform, with a build attestation in front.
TestImage MakeIndex(const std::map<std::string, TestImage>& by_architecture);

// Archives as files that tools write.
std::string OciArchive(const TestImage& image, const std::string& ref_name,
                       Packing packing = Packing::kPlain);
std::string DockerArchive(const std::vector<TestLayer>& layers, const std::string& tag,
                          Packing packing = Packing::kPlain);

}  // namespace updraft::node_agent

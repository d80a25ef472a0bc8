// Which images an archive holds: OCI image layouts and what `docker save` writes.
//
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "node-agent/image/manifest.h"

namespace updraft::node_agent {

struct StoredFile {
  std::string digest;  // of the blob in the content store
  int64_t size = 0;
};

// What was found while the archive went by. Paths are relative and without "./".
struct ArchiveContents {
  std::map<std::string, std::string> documents;  // index.json, manifest.json, ...: their text
  std::map<std::string, StoredFile> files;
  std::map<std::string, std::string> links;  // path to path
};

// What the user calls it.
struct ArchiveNaming {
  std::string reference;  // instead of the archive's own names; empty: use those
  std::string file_name;  // for a name where the archive has none
};

struct ArchiveImage {
  Descriptor root;
  std::vector<std::string> names;  // as in containerd, at least one
  std::string manifest;            // to be stored as `root`; empty: the archive has it
};

// kInvalidArgument, in words for the user, for what is no image archive.
Result<std::vector<ArchiveImage>> ImagesOf(const ArchiveContents& contents,
                                           const ArchiveNaming& naming, const Platform& host);

// Whether a file of an archive is a small document that ImagesOf() reads.
bool IsArchiveDocument(std::string_view path);

// "a/b" of "./a/b" and "/a/b"; empty for paths that lead out of the archive.
std::string NormalisedPath(std::string_view path);

// Where a link at `path` to `target` leads.
std::string LinkTarget(std::string_view path, std::string_view target);

}  // namespace updraft::node_agent

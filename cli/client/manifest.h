// Manifests as the user names them (files, folders, standard input, addresses) become documents.
#pragma once

#include <functional>
#include <istream>
#include <string>
#include <vector>

#include "core/api/json.h"
#include "core/base/result.h"

namespace updraft::cli {

struct ManifestDocument {
  std::string source{};  // "service.yaml", or "service.yaml, document 2" where there are several
  Json value{};
};

struct ManifestQuery {
  std::vector<std::string> sources{};  // "-": standard input
  bool recursive = false;              // into folders within folders
};

struct Manifests {
  std::vector<ManifestDocument> documents{};  // in the order of the sources
  std::vector<Error> errors{};  // a source that cannot be read does not hide the others
};

// Where text comes from; the functions are called while ReadManifests() runs.
struct ManifestReader {
  std::istream& standard_input;
  std::function<Result<std::string>(const std::string& url)> download;
};

// Folders give their *.yaml, *.yml and *.json, by name. The items of a List become documents of
// their own.
Manifests ReadManifests(const ManifestQuery& query, const ManifestReader& reader);

}  // namespace updraft::cli

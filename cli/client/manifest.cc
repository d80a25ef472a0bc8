#include "cli/client/manifest.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/read.h"

namespace updraft::cli {
namespace {

namespace fs = std::filesystem;

bool IsManifest(const fs::path& path) {
  const std::string extension = path.extension();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

template <typename Iterator>
std::vector<std::string> ManifestsIn(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (Iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file(error) && IsManifest(it->path())) files.push_back(it->path());
  }
  std::ranges::sort(files);
  return files;
}

std::string TextOf(std::istream& stream) { return {std::istreambuf_iterator<char>(stream), {}}; }

Result<std::string> ReadSource(const std::string& source, const ManifestReader& reader) {
  if (source == "-") return TextOf(reader.standard_input);
  if (source.starts_with("http://") || source.starts_with("https://"))
    return reader.download(source);
  std::ifstream file(source);
  if (!file)
    return Error{Code::kNotFound, "cannot be read: there is no such file, or it may not be opened"};
  return TextOf(file);
}

void AddDocument(const Json& value, const std::string& source, Manifests& manifests) {
  const bool is_list = api::KindOf(value) == "List" && value.contains("items");
  if (!is_list) return manifests.documents.push_back({source, value});
  for (const Json& item : api::ArrayAt(value, {"items"})) AddDocument(item, source, manifests);
}

void AddText(const std::string& text, const std::string& name, Manifests& manifests) {
  Result<std::vector<api::Document>> documents = api::ReadYaml(text);
  if (!documents) return manifests.errors.push_back(Context(name, documents.error()));
  for (size_t i = 0; i < documents->size(); ++i) {
    const api::Document& document = (*documents)[i];
    const std::string source =
        documents->size() == 1 ? name : name + ", document " + std::to_string(i + 1);
    if (!document.duplicates.empty()) {
      manifests.errors.push_back(
          {Code::kInvalidArgument,
           source + ": key \"" + document.duplicates.front() + "\" stands there twice"});
    } else if (!document.value.is_object()) {
      manifests.errors.push_back(
          {Code::kInvalidArgument, source + ": is no object with apiVersion and kind"});
    } else {
      AddDocument(document.value, source, manifests);
    }
  }
}

std::vector<std::string> FilesOf(const std::string& source, bool recursive) {
  std::error_code error;
  if (!fs::is_directory(source, error)) return {source};
  return recursive ? ManifestsIn<fs::recursive_directory_iterator>(source)
                   : ManifestsIn<fs::directory_iterator>(source);
}

}  // namespace

Manifests ReadManifests(const ManifestQuery& query, const ManifestReader& reader) {
  Manifests manifests;
  for (const std::string& source : query.sources) {
    const std::vector<std::string> files = FilesOf(source, query.recursive);
    if (files.empty())
      manifests.errors.push_back(
          {Code::kNotFound, source + ": no *.yaml, *.yml or *.json in this folder"});
    for (const std::string& file : files) {
      const std::string name = file == "-" ? "standard input" : file;
      Result<std::string> text = ReadSource(file, reader);
      if (text) {
        AddText(*text, name, manifests);
      } else {
        manifests.errors.push_back(Context(name, text.error()));
      }
    }
  }
  return manifests;
}

}  // namespace updraft::cli

#include "cli/replay/manifest.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/api/access.h"
#include "core/api/constants.h"
#include "core/api/defaults.h"
#include "core/api/kinds.h"
#include "core/api/meta.h"
#include "core/api/read.h"
#include "core/api/validation.h"

namespace updraft::cli {
namespace {

Result<Json> TheService(const std::string& text) {
  const auto documents = api::ReadYaml(text);
  if (!documents) return documents.error();
  for (const api::Document& document : *documents) {
    const bool serving = api::ApiVersionOf(document.value) == api::kServingVersion;
    if (serving && api::KindOf(document.value) == "Service") return document.value;
  }
  return Error{Code::kInvalidArgument,
               "there is no Service of " + std::string(api::kServingVersion) + " in it"};
}

}  // namespace

Result<ReplayedManifest> ReadReplayedManifest(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) return Error{Code::kNotFound, path + ": cannot be read"};
  Result<Json> service = TheService(text.str());
  if (!service) return Context(path, service.error());
  const api::ServingConfig config;
  const api::WriteContext context{.config = &config, .user = "replay", .old = nullptr};
  const api::Kind& kind = *api::FindKind(api::kServingVersion, "Service");
  api::SetDefaults(kind, *service, context);
  const std::string wrong =
      api::ValidateServing(kind, *service, context).Only(api::FieldError::Level::kError).Text();
  if (!wrong.empty()) return Error{Code::kInvalidArgument, path + ": " + wrong};

  ReplayedManifest manifest;
  manifest.name = std::filesystem::path(path).stem().string();
  const Json& revision = api::ObjectAt(*service, {"spec", "template"});
  for (const auto& [key, value] : api::ObjectAt(revision, {"metadata", "annotations"}).items()) {
    if (value.is_string()) manifest.target.annotations[key] = value.get<std::string>();
  }
  manifest.target.container_concurrency =
      static_cast<int>(api::IntAt(revision, {"spec", "containerConcurrency"}));
  manifest.target.initialized = true;
  return manifest;
}

}  // namespace updraft::cli

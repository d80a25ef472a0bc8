#include "cli/client/api_address.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "core/api/access.h"
#include "core/api/base64.h"
#include "core/api/read.h"

namespace updraft::cli {
namespace {

Result<std::string> ReadWhole(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error{Code::kNotFound, "cannot read " + path};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The member `part` of the element called `name` in a list of a kubeconfig.
const Json& Named(const Json& config, std::string_view list, const std::string& name,
                  std::string_view part) {
  for (const Json& element : api::ArrayAt(config, {list})) {
    if (api::StringAt(element, {"name"}) == name) return api::ObjectAt(element, {part});
  }
  return api::ObjectAt(config, {"there is no such member"});
}

// A PEM that stands in the kubeconfig itself (KEY-data, base64) or in a file beside it (KEY).
Result<std::string> PemAt(const Json& object, const std::string& key, const std::string& folder) {
  const std::string inlined = api::StringAt(object, {key + "-data"});
  if (!inlined.empty()) {
    std::optional<std::string> decoded = api::DecodeBase64(inlined);
    if (!decoded) return Error{Code::kInvalidArgument, key + "-data is not base64"};
    return *std::move(decoded);
  }
  const std::string file = api::StringAt(object, {key});
  if (file.empty()) return std::string();
  return ReadWhole((std::filesystem::path(folder) / file).string());
}

Result<ApiAddress> FromFile(const std::string& path) {
  Result<std::string> text = ReadWhole(path);
  if (!text) return text.error();
  Result<ApiAddress> address = ParseKubeconfig(*text, std::filesystem::path(path).parent_path());
  if (!address) return Context(path, address.error());
  return address;
}

std::string WithoutSlash(std::string server) {
  while (server.ends_with('/')) server.pop_back();
  return server;
}

}  // namespace

Result<ApiAddress> ParseKubeconfig(const std::string& text, const std::string& folder) {
  Result<std::vector<api::Document>> documents = api::ReadYaml(text);
  if (!documents) return documents.error();
  if (documents->empty()) return Error{Code::kInvalidArgument, "is empty"};
  const Json& config = documents->front().value;
  const std::string current = api::StringAt(config, {"current-context"});
  const Json& context = Named(config, "contexts", current, "context");
  const Json& cluster = Named(config, "clusters", api::StringAt(context, {"cluster"}), "cluster");
  const Json& user = Named(config, "users", api::StringAt(context, {"user"}), "user");

  ApiAddress address{.server = WithoutSlash(api::StringAt(cluster, {"server"}))};
  if (address.server.empty()) {
    return Error{Code::kInvalidArgument,
                 "context \"" + current + "\" has no cluster with a server"};
  }
  address.namespace_name = api::StringAt(context, {"namespace"}, "default");
  address.token = api::StringAt(user, {"token"});
  address.skip_verification = api::BoolAt(cluster, {"insecure-skip-tls-verify"});
  struct Pem {
    const Json& object;
    const char* key;
    std::string& into;
  };
  for (const Pem& pem : {Pem{cluster, "certificate-authority", address.certificate_authority},
                         Pem{user, "client-certificate", address.client_certificate},
                         Pem{user, "client-key", address.client_key}}) {
    Result<std::string> content = PemAt(pem.object, pem.key, folder);
    if (!content) return content.error();
    pem.into = *std::move(content);
  }
  return address;
}

Result<ApiAddress> FindApi(const AddressFlags& flags) {
  if (!flags.server.empty()) {
    const bool has_scheme = flags.server.find("://") != std::string::npos;
    return ApiAddress{.server = WithoutSlash(has_scheme ? flags.server : "http://" + flags.server)};
  }
  if (!flags.kubeconfig.empty()) return FromFile(flags.kubeconfig);
  std::vector<std::string> paths;
  if (!flags.state.empty()) paths.push_back(flags.state + "/kubeconfig");
  std::stringstream variable(flags.kubeconfig_variable);
  for (std::string path; std::getline(variable, path, ':');) paths.push_back(path);
  if (flags.state.empty()) paths.push_back(flags.usual_state + "/kubeconfig");
  std::error_code error;
  for (const std::string& path : paths) {
    if (!path.empty() && std::filesystem::exists(path, error)) return FromFile(path);
  }
  const std::string& state = flags.state.empty() ? flags.usual_state : flags.state;
  return Error{Code::kNotFound, "no platform found: there is no " + state +
                                    "/kubeconfig. Start one with `updraft up`, or say --server or --kubeconfig"};
}

}  // namespace updraft::cli

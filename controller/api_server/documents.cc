#include "controller/api_server/documents.h"

#include "controller/api_server/api_error.h"
#include "controller/api_server/discovery.h"
#include "controller/api_server/negotiate.h"
#include "controller/api_server/openapi.h"
#include "core/api/access.h"

namespace updraft::controller {
namespace {

Json PathList(const std::map<std::string, std::string, std::less<>>& pages) {
  Json paths = Json::array();
  for (const auto& [path, page] : pages) paths.push_back(path);
  for (const char* path : {"/healthz", "/livez", "/readyz"}) paths.push_back(path);
  return Json{{"paths", std::move(paths)}};
}

bool IsDiscovery(std::string_view path) {
  return path == "/api" || path == "/apis" || path.starts_with("/api/") ||
         path.starts_with("/apis/");
}

// Lists of what there is come in the forms that objects come in.
Page DiscoveryPage(const std::string& json, std::string_view accept) {
  const ApiResult<Format> format = ChooseFormat(accept);
  if (!format)
    return {.code = format.error().code, .body = api::ToText(ToStatus(format.error())) + "\n"};
  if (format->encoding == Format::Encoding::kJson) return {.body = json};
  return {.content_type = ContentType(*format), .body = Encode(Json::parse(json), *format, false)};
}

}  // namespace

Documents::Documents(const std::string& release) {
  std::map<std::string, std::string> groups;
  pages_["/api"] = api::ToText(CoreVersions());
  pages_["/apis"] = api::ToText(GroupList());
  for (const GroupVersion& version : GroupVersions()) {
    pages_["/" + version.Path()] = api::ToText(ResourceList(version));
    if (!version.group.empty())
      pages_["/apis/" + version.group] = api::ToText(Group(version.group));
    groups[version.Path()] = api::ToText(OpenApiV3(version, release));
    pages_["/openapi/v3/" + version.Path()] = groups[version.Path()];
  }
  for (const std::string& version : std::vector<std::string>{"v2", "v2beta1"}) {
    aggregated_["/api " + version] = api::ToText(AggregatedDiscovery(true, version));
    aggregated_["/apis " + version] = api::ToText(AggregatedDiscovery(false, version));
  }
  pages_["/openapi/v3"] = api::ToText(OpenApiV3Index(groups));
  const Json openapi_v2 = OpenApiV2(release);
  pages_["/openapi/v2"] = api::ToText(openapi_v2);
  openapi_v2_proto_ = OpenApiV2Proto(openapi_v2);
  pages_["/version"] = api::ToText(Version(release));
  pages_["/"] = api::ToText(PathList(pages_));
}

std::optional<Page> Documents::Find(std::string_view path, std::string_view accept) const {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/openapi/v2" && WantsOpenApiProto(accept)) {
    return Page{.code = 200,
                .content_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
                .body = openapi_v2_proto_};
  }
  if (auto page = FindDiscovery(path, DiscoveryVersion(accept))) return page;
  const auto found = pages_.find(path);
  if (found == pages_.end()) return std::nullopt;
  if (IsDiscovery(path)) return DiscoveryPage(found->second, accept);
  return Page{.code = 200, .content_type = "application/json", .body = found->second};
}

std::optional<Page> Documents::FindDiscovery(std::string_view path,
                                             const std::string& version) const {
  if (version.empty()) return std::nullopt;
  const auto found = aggregated_.find(std::string(path) + " " + version);
  if (found == aggregated_.end()) return std::nullopt;
  return Page{.code = 200,
              .content_type = "application/json;g=apidiscovery.k8s.io;v=" + version +
                              ";as=APIGroupDiscoveryList",
              .body = found->second};
}

}  // namespace updraft::controller

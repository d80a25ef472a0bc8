#include "cli/client/place.h"

#include "cli/client/resource.h"
#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::cli {

std::string Place::Collection() const { return CollectionPath(*kind, namespace_name); }

std::string Place::Path() const { return ObjectPath(*kind, namespace_name, name); }

Result<Place> PlaceOf(const Session& session, Json document) {
  const std::string api_version = api::ApiVersionOf(document);
  const std::string kind_name = api::KindOf(document);
  if (api_version.empty()) return Error{Code::kInvalidArgument, "apiVersion is missing"};
  if (kind_name.empty()) return Error{Code::kInvalidArgument, "kind is missing"};
  Place place{.kind = api::FindKind(api_version, kind_name), .name = api::NameOf(document)};
  if (place.kind == nullptr) {
    return Error{Code::kInvalidArgument,
                 "no matches for kind \"" + kind_name + "\" in version \"" + api_version + "\""};
  }
  if (place.name.empty() && api::StringAt(document, {"metadata", "generateName"}).empty())
    return Error{Code::kInvalidArgument, "metadata.name is missing"};
  if (place.kind->namespaced) {
    const std::string own = api::NamespaceOf(document);
    if (!own.empty() && session.namespace_given && own != session.namespace_name) {
      return Error{Code::kInvalidArgument, "metadata.namespace is \"" + own + "\", but -n says \"" +
                                               session.namespace_name + "\""};
    }
    place.namespace_name = own.empty() ? session.namespace_name : own;
    api::EnsureObject(document, {"metadata"})["namespace"] = place.namespace_name;
  }
  place.document = std::move(document);
  return place;
}

ApiRequest WriteRequest(const std::string& method, const std::string& path, const Json& body,
                        bool dry_run) {
  ApiRequest request{.method = method, .path = path, .body = api::ToText(body)};
  request.query = {{"fieldManager", "updraft"}, {"fieldValidation", "Strict"}};
  if (dry_run) request.query.emplace_back("dryRun", "All");
  if (method == "PATCH") request.content_type = "application/merge-patch+json";
  return request;
}

void PrintOutcome(const Session& session, const Place& place, const std::string& outcome,
                  bool dry_run) {
  session.console.out << PrintedName(*place.kind, place.name) << " " << outcome
                      << (dry_run ? " (server dry run)" : "") << std::endl;
}

}  // namespace updraft::cli

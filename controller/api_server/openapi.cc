#include "controller/api_server/openapi.h"

#include <cstdio>

#include "core/api/kinds.h"
#include "core/api/schemas/schemas.h"

namespace updraft::controller {
namespace {

using api::Kind;
using Definitions = std::map<std::string, Json>;

Json KindReference(const Kind& kind) {
  return Json{{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}};
}

std::string CollectionPath(const Kind& kind) {
  const GroupVersion version{.group = kind.group, .version = kind.version};
  return "/" + version.Path() + (kind.namespaced ? "/namespaces/{namespace}/" : "/") + kind.plural;
}

Json ParameterOf(const char* name, const char* in, const char* type, const char* description,
                 OpenApiDialect dialect) {
  Json parameter = Json::object();
  parameter["name"] = name;
  parameter["in"] = in;
  parameter["description"] = description;
  if (std::string_view(in) == "path") parameter["required"] = true;
  if (dialect == OpenApiDialect::kV2) {
    parameter["type"] = type;
    if (std::string_view(in) == "query") parameter["uniqueItems"] = true;
  } else {
    parameter["schema"] = Json{{"type", type}};
  }
  return parameter;
}

Json WriteParameters(OpenApiDialect dialect) {
  return Json::array(
      {ParameterOf("dryRun", "query", "string", "All: everything is checked and nothing stored.",
                   dialect),
       ParameterOf("fieldManager", "query", "string", "Who makes the change.", dialect),
       ParameterOf("fieldValidation", "query", "string",
                   "What unknown fields lead to: Ignore, Warn or Strict.", dialect)});
}

Json PatchParameters(OpenApiDialect dialect) {
  Json parameters = WriteParameters(dialect);
  parameters.push_back(ParameterOf("force", "query", "boolean",
                                   "Whether an apply takes fields over from their owners.",
                                   dialect));
  return parameters;
}

Json ReadParameters(OpenApiDialect dialect) {
  return Json::array(
      {ParameterOf("labelSelector", "query", "string", "Restricts the objects by their labels.",
                   dialect),
       ParameterOf("fieldSelector", "query", "string", "Restricts the objects by their fields.",
                   dialect),
       ParameterOf("resourceVersion", "query", "string", "The version to start from.", dialect),
       ParameterOf("resourceVersionMatch", "query", "string",
                   "How exactly that version is meant: Exact or NotOlderThan.", dialect),
       ParameterOf("limit", "query", "integer", "The most objects in one answer.", dialect),
       ParameterOf("continue", "query", "string", "Where the part before has ended.", dialect),
       ParameterOf("allowWatchBookmarks", "query", "boolean",
                   "Whether a watch also tells how far it has come.", dialect),
       ParameterOf("sendInitialEvents", "query", "boolean",
                   "Whether a watch begins with all objects.", dialect),
       ParameterOf("timeoutSeconds", "query", "integer", "How long a watch lasts.", dialect),
       ParameterOf("watch", "query", "boolean", "Goes on with changes.", dialect)});
}

std::vector<std::string> PatchTypes(const Kind& kind) {
  std::vector<std::string> types = {"application/json-patch+json", "application/merge-patch+json",
                                    "application/apply-patch+yaml"};
  if (kind.strategic_merge) types.emplace_back("application/strategic-merge-patch+json");
  return types;
}

// What one verb on a kind's path takes and gives.
class OperationWriter {
 public:
  OperationWriter(const Kind& kind, OpenApiDialect dialect, Json reference)
      : kind_(kind), dialect_(dialect), reference_(std::move(reference)) {}

  Json Write(const char* action, Json parameters,
             const std::vector<std::string>& body_types) const {
    Json operation = Json::object();
    operation["description"] = std::string(action) + " " + kind_.kind;
    operation["operationId"] = std::string(action) + (kind_.group.empty() ? "Core" : "Serving") +
                               kind_.version + (kind_.namespaced ? "Namespaced" : "") + kind_.kind;
    operation["x-kubernetes-action"] = action;
    operation["x-kubernetes-group-version-kind"] = KindReference(kind_);
    if (dialect_ == OpenApiDialect::kV2) {
      operation["produces"] = Json::array({"application/json", "application/yaml"});
      if (!body_types.empty()) {
        operation["consumes"] = body_types;
        Json body = Json{{"name", "body"}, {"in", "body"}, {"required", true}};
        body["schema"] = reference_;
        parameters.push_back(std::move(body));
      }
      operation["responses"]["200"] = Json{{"description", "OK"}, {"schema", reference_}};
    } else {
      if (!body_types.empty()) operation["requestBody"]["content"] = Content(body_types);
      operation["responses"]["200"] = Json{
          {"description", "OK"}, {"content", Content({"application/json", "application/yaml"})}};
    }
    operation["parameters"] = std::move(parameters);
    return operation;
  }

 private:
  Json Content(const std::vector<std::string>& types) const {
    Json content = Json::object();
    for (const std::string& type : types) content[type]["schema"] = reference_;
    return content;
  }

  const Kind& kind_;
  const OpenApiDialect dialect_;
  const Json reference_;
};

void WritePaths(const Kind& kind, OpenApiDialect dialect, const Json& reference, Json& paths) {
  const OperationWriter writer(kind, dialect, reference);
  const std::vector<std::string> bodies = {"application/json", "application/yaml"};
  Json place = Json::array();
  if (kind.namespaced)
    place.push_back(
        ParameterOf("namespace", "path", "string", "Namespace of the object.", dialect));

  Json collection = Json::object();
  collection["parameters"] = place;
  if (kind.Allows("list")) collection["get"] = writer.Write("list", ReadParameters(dialect), {});
  if (kind.Allows("create"))
    collection["post"] = writer.Write("post", WriteParameters(dialect), bodies);
  paths[CollectionPath(kind)] = std::move(collection);

  place.push_back(ParameterOf("name", "path", "string", "Name of the object.", dialect));
  Json one = Json::object();
  one["parameters"] = std::move(place);
  if (kind.Allows("get")) one["get"] = writer.Write("get", Json::array(), {});
  if (kind.Allows("update")) one["put"] = writer.Write("put", WriteParameters(dialect), bodies);
  if (kind.Allows("patch"))
    one["patch"] = writer.Write("patch", PatchParameters(dialect), PatchTypes(kind));
  if (kind.Allows("delete")) one["delete"] = writer.Write("delete", Json::array(), {});
  paths[CollectionPath(kind) + "/{name}"] = std::move(one);
}

// Writes the kind's schema with the mark that clients find it by.
Json WriteKind(const Kind& kind, OpenApiDialect dialect, Definitions& definitions) {
  Json reference = WriteSchema(*kind.schema, dialect, definitions);
  definitions[kind.schema->definition]["x-kubernetes-group-version-kind"] =
      Json::array({KindReference(kind)});
  return reference;
}

Json Info(const std::string& release) { return Json{{"title", "Updraft"}, {"version", release}}; }

std::string Hash(const std::string& text) {
  uint64_t hash = 14695981039346656037ULL;
  for (unsigned char byte : text) hash = (hash ^ byte) * 1099511628211ULL;
  char hex[20];
  std::snprintf(hex, sizeof hex, "%016llX", static_cast<unsigned long long>(hash));
  return hex;
}

}  // namespace

Json OpenApiV2(const std::string& release) {
  Definitions definitions;
  Json paths = Json::object();
  for (const Kind& kind : api::Kinds()) {
    const Json reference = WriteKind(kind, OpenApiDialect::kV2, definitions);
    WritePaths(kind, OpenApiDialect::kV2, reference, paths);
  }
  WriteSchema(*api::DeleteOptionsSchema(), OpenApiDialect::kV2, definitions);
  Json document = Json::object();
  document["swagger"] = "2.0";
  document["info"] = Info(release);
  document["paths"] = std::move(paths);
  document["definitions"] = definitions;
  return document;
}

Json OpenApiV3(const GroupVersion& version, const std::string& release) {
  Definitions definitions;
  Json paths = Json::object();
  for (const Kind& kind : api::Kinds()) {
    if (kind.group != version.group || kind.version != version.version) continue;
    const Json reference = WriteKind(kind, OpenApiDialect::kV3, definitions);
    WritePaths(kind, OpenApiDialect::kV3, reference, paths);
  }
  if (paths.empty()) return nullptr;
  WriteSchema(*api::DeleteOptionsSchema(), OpenApiDialect::kV3, definitions);
  Json document = Json::object();
  document["openapi"] = "3.0.0";
  document["info"] = Info(release);
  document["paths"] = std::move(paths);
  document["components"]["schemas"] = definitions;
  return document;
}

Json OpenApiV3Index(const std::map<std::string, std::string>& documents) {
  Json index = Json::object();
  index["paths"] = Json::object();
  for (const auto& [path, document] : documents) {
    index["paths"][path]["serverRelativeURL"] = "/openapi/v3/" + path + "?hash=" + Hash(document);
  }
  return index;
}

}  // namespace updraft::controller

#include "controller/api_server/openapi.h"

namespace updraft::controller {
namespace {

using api::Schema;
using Type = api::Schema::Type;
using Definitions = std::map<std::string, Json>;

class SchemaWriter {
 public:
  SchemaWriter(OpenApiDialect dialect, Definitions& definitions)
      : dialect_(dialect), definitions_(definitions) {}

  Json Write(const Schema& schema) {
    if (schema.definition.empty()) return WriteInPlace(schema);
    // Entered before it is written, so that a definition may refer to itself.
    if (definitions_.emplace(schema.definition, nullptr).second)
      definitions_[schema.definition] = WriteInPlace(schema);
    const bool v2 = dialect_ == OpenApiDialect::kV2;
    return Json{{"$ref", (v2 ? "#/definitions/" : "#/components/schemas/") + schema.definition}};
  }

 private:
  Json WriteInPlace(const Schema& schema) {
    Json json = Json::object();
    if (!schema.description.empty()) json["description"] = schema.description;
    switch (schema.type) {
      case Type::kObject:
        WriteObject(schema, json);
        break;
      case Type::kMap:
        json["type"] = "object";
        json["additionalProperties"] = Write(*schema.items);
        break;
      case Type::kArray:
        WriteArray(schema, json);
        break;
      case Type::kAnyObject:
        json["type"] = "object";
        json["x-kubernetes-preserve-unknown-fields"] = true;
        break;
      case Type::kAny:
        json["x-kubernetes-preserve-unknown-fields"] = true;
        break;
      case Type::kIntOrString:
      case Type::kQuantity:
        json["x-kubernetes-int-or-string"] = true;
        if (dialect_ == OpenApiDialect::kV3)
          json["anyOf"] = Json::array({TypeOf("integer"), TypeOf("string")});
        break;
      default:
        WriteScalar(schema, json);
    }
    if (schema.atomic) json["x-kubernetes-map-type"] = "atomic";
    return json;
  }

  static Json TypeOf(const char* type) {
    Json json = Json::object();
    json["type"] = type;
    return json;
  }

  static void WriteScalar(const Schema& schema, Json& json) {
    json["type"] = api::NameOfType(schema);
    if (!schema.format.empty()) json["format"] = schema.format;
  }

  void WriteArray(const Schema& schema, Json& json) {
    json["type"] = "array";
    json["items"] = Write(*schema.items);
    if (schema.is_set) {
      json["x-kubernetes-list-type"] = "set";
      json["x-kubernetes-patch-strategy"] = "merge";
    } else if (!schema.merge_key.empty()) {
      json["x-kubernetes-list-type"] = "map";
      json["x-kubernetes-list-map-keys"] = Json::array({schema.merge_key});
      json["x-kubernetes-patch-strategy"] = "merge";
      json["x-kubernetes-patch-merge-key"] = schema.merge_key;
    } else {
      json["x-kubernetes-list-type"] = "atomic";
    }
  }

  void WriteObject(const Schema& schema, Json& json) {
    json["type"] = "object";
    Json properties = Json::object();
    Json required = Json::array();
    for (const api::Field& field : schema.fields) {
      if (field.hidden) continue;
      properties[field.name] = WriteField(field);
      if (field.required) required.push_back(field.name);
    }
    json["properties"] = std::move(properties);
    if (!required.empty()) json["required"] = std::move(required);
  }

  Json WriteField(const api::Field& field) {
    Json json = Write(*field.schema);
    const auto reference = json.find("$ref");
    if (reference != json.end() && dialect_ == OpenApiDialect::kV3) {
      // Beside a reference nothing else may stand.
      Json wrapped = Json::object();
      wrapped["allOf"] = Json::array({json});
      json = std::move(wrapped);
    }
    if (!field.description.empty()) json["description"] = field.description;
    return json;
  }

  const OpenApiDialect dialect_;
  Definitions& definitions_;
};

}  // namespace

Json WriteSchema(const api::Schema& schema, OpenApiDialect dialect,
                 std::map<std::string, Json>& definitions) {
  return SchemaWriter(dialect, definitions).Write(schema);
}

}  // namespace updraft::controller

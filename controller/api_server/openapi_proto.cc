// gnostic's OpenAPIv2.proto, written by hand: the numbers are its field numbers. Generated code for
// it is the largest translation unit that this project would have, for a document that is written
// once.
#include "controller/api_server/openapi.h"
#include "core/api/access.h"
#include "core/api/write_yaml.h"

namespace updraft::controller {
namespace {

class Message {
 public:
  void Text(uint32_t field, std::string_view text) {
    if (!text.empty()) Bytes(field, text);
  }
  void Bool(uint32_t field, bool value) {
    if (!value) return;
    Varint(field << 3);
    Varint(1);
  }
  // Empty messages are written too: their presence means something.
  void Inner(uint32_t field, const Message& message) { Bytes(field, message.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void Bytes(uint32_t field, std::string_view bytes) {
    Varint((field << 3) | 2);
    Varint(bytes.size());
    bytes_ += bytes;
  }
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

std::string TextOf(const Json& json, std::string_view member) {
  return api::StringAt(json, {member});
}

// The members that OpenAPI leaves to others: x-... with their values as YAML.
void WriteExtensions(const Json& json, uint32_t field, Message& message) {
  for (const auto& [name, value] : json.items()) {
    if (!name.starts_with("x-")) continue;
    Message any;
    any.Text(2, api::WriteYaml(value));
    Message named;
    named.Text(1, name);
    named.Inner(2, any);
    message.Inner(field, named);
  }
}

Message SchemaMessage(const Json& schema);

Message NamedSchemas(const Json& schemas) {
  Message list;
  for (const auto& [name, schema] : schemas.items()) {
    Message named;
    named.Text(1, name);
    named.Inner(2, SchemaMessage(schema));
    list.Inner(1, named);
  }
  return list;
}

Message SchemaMessage(const Json& schema) {
  Message message;
  message.Text(1, TextOf(schema, "$ref"));
  message.Text(2, TextOf(schema, "format"));
  message.Text(4, TextOf(schema, "description"));
  for (const Json& name : api::ArrayAt(schema, {"required"}))
    message.Text(19, name.get<std::string>());
  if (const Json* values = api::Find(schema, {"additionalProperties"})) {
    Message item;
    item.Inner(1, SchemaMessage(*values));
    message.Inner(21, item);
  }
  if (const std::string type = TextOf(schema, "type"); !type.empty()) {
    Message item;
    item.Text(1, type);
    message.Inner(22, item);
  }
  if (const Json* items = api::Find(schema, {"items"})) {
    Message item;
    item.Inner(1, SchemaMessage(*items));
    message.Inner(23, item);
  }
  if (const Json* properties = api::Find(schema, {"properties"}))
    message.Inner(25, NamedSchemas(*properties));
  WriteExtensions(schema, 31, message);
  return message;
}

Message ParameterMessage(const Json& parameter) {
  const std::string in = TextOf(parameter, "in");
  Message inner;
  Message outer;  // Parameter
  if (in == "body") {
    inner.Text(2, TextOf(parameter, "name"));
    inner.Text(3, in);
    inner.Bool(4, api::BoolAt(parameter, {"required"}));
    inner.Inner(5, SchemaMessage(api::ObjectAt(parameter, {"schema"})));
    outer.Inner(1, inner);
  } else {
    const bool query = in == "query";
    inner.Bool(1, api::BoolAt(parameter, {"required"}));
    inner.Text(2, in);
    inner.Text(3, TextOf(parameter, "description"));
    inner.Text(4, TextOf(parameter, "name"));
    inner.Text(query ? 6 : 5, TextOf(parameter, "type"));
    inner.Bool(query ? 20 : 19, api::BoolAt(parameter, {"uniqueItems"}));
    Message kind;  // NonBodyParameter
    kind.Inner(query ? 3 : 4, inner);
    outer.Inner(2, kind);
  }
  Message item;  // ParametersItem
  item.Inner(1, outer);
  return item;
}

Message ResponsesMessage(const Json& responses) {
  Message message;
  for (const auto& [code, response] : responses.items()) {
    Message schema;  // SchemaItem
    schema.Inner(1, SchemaMessage(api::ObjectAt(response, {"schema"})));
    Message content;
    content.Text(1, TextOf(response, "description"));
    content.Inner(2, schema);
    Message value;  // ResponseValue
    value.Inner(1, content);
    Message named;
    named.Text(1, code);
    named.Inner(2, value);
    message.Inner(1, named);
  }
  return message;
}

Message OperationMessage(const Json& operation) {
  Message message;
  message.Text(3, TextOf(operation, "description"));
  message.Text(5, TextOf(operation, "operationId"));
  for (const Json& type : api::ArrayAt(operation, {"produces"}))
    message.Text(6, type.get<std::string>());
  for (const Json& type : api::ArrayAt(operation, {"consumes"}))
    message.Text(7, type.get<std::string>());
  for (const Json& parameter : api::ArrayAt(operation, {"parameters"}))
    message.Inner(8, ParameterMessage(parameter));
  message.Inner(9, ResponsesMessage(api::ObjectAt(operation, {"responses"})));
  WriteExtensions(operation, 13, message);
  return message;
}

Message PathsMessage(const Json& paths) {
  struct Method {
    const char* name;
    uint32_t field;
  };
  constexpr Method kMethods[] = {{"get", 2}, {"put", 3}, {"post", 4}, {"delete", 5}, {"patch", 8}};
  Message message;
  for (const auto& [path, item] : paths.items()) {
    Message value;
    for (const Method& method : kMethods) {
      if (const Json* operation = api::Find(item, {method.name}))
        value.Inner(method.field, OperationMessage(*operation));
    }
    for (const Json& parameter : api::ArrayAt(item, {"parameters"}))
      value.Inner(9, ParameterMessage(parameter));
    Message named;
    named.Text(1, path);
    named.Inner(2, value);
    message.Inner(2, named);
  }
  return message;
}

}  // namespace

std::string OpenApiV2Proto(const Json& document) {
  Message info;
  info.Text(1, api::StringAt(document, {"info", "title"}));
  info.Text(2, api::StringAt(document, {"info", "version"}));
  Message message;
  message.Text(1, TextOf(document, "swagger"));
  message.Inner(2, info);
  message.Inner(8, PathsMessage(api::ObjectAt(document, {"paths"})));
  message.Inner(9, NamedSchemas(api::ObjectAt(document, {"definitions"})));
  return message.bytes();
}

}  // namespace updraft::controller

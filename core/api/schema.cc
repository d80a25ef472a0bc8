#include "core/api/schema.h"

#include <cmath>
#include <limits>

namespace updraft::api {
namespace {

using Type = Schema::Type;

std::string_view NameOfType(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return "boolean";
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return "integer";
    case Json::value_t::number_float:
      return "number";
    case Json::value_t::string:
      return "string";
    case Json::value_t::array:
      return "array";
    default:
      return "object";
  }
}

SchemaRef Share(Schema schema) { return std::make_shared<const Schema>(std::move(schema)); }

class Conformer {
 public:
  void Walk(const Schema& schema, Json& value, const std::string& path) {
    switch (schema.type) {
      case Type::kAny:
        return;
      case Type::kObject:
      case Type::kMap:
      case Type::kAnyObject:
        if (!value.is_object()) return Report(schema, value, path);
        if (schema.type != Type::kAnyObject) WalkMembers(schema, value, path);
        return;
      case Type::kArray:
        if (!value.is_array()) return Report(schema, value, path);
        for (size_t i = 0; i < value.size(); ++i)
          Walk(*schema.items, value[i], path + "[" + std::to_string(i) + "]");
        return;
      default:
        if (!IsScalar(schema, value)) Report(schema, value, path);
    }
  }

  SchemaFindings Take() { return std::move(findings_); }

 private:
  void WalkMembers(const Schema& schema, Json& object, const std::string& path) {
    for (auto member = object.begin(); member != object.end();) {
      const std::string at = path.empty() ? member.key() : path + "." + member.key();
      const Schema* inner = schema.items.get();
      if (schema.type == Type::kObject) {
        const Field* field = schema.FindField(member.key());
        inner = field == nullptr ? nullptr : field->schema.get();
        if (field == nullptr) findings_.unknown.push_back(at);
      }
      if (inner == nullptr || member->is_null()) {
        member = object.erase(member);
        continue;
      }
      Walk(*inner, *member, at);
      ++member;
    }
  }

  static bool IsScalar(const Schema& schema, Json& value) {
    switch (schema.type) {
      case Type::kString:
        return value.is_string();
      case Type::kBoolean:
        return value.is_boolean();
      case Type::kNumber:
        return value.is_number();
      case Type::kInteger:
        return IsInteger(schema, value);
      case Type::kIntOrString:
        return value.is_string() || IsInteger(schema, value);
      default:
        return value.is_string() || value.is_number();
    }
  }

  static bool IsInteger(const Schema& schema, Json& value) {
    if (value.is_number_float()) {
      const double number = value.get<double>();
      constexpr double kExact = 9007199254740992.0;
      if (std::floor(number) != number || std::fabs(number) > kExact) return false;
      value = static_cast<int64_t>(number);
    }
    if (!value.is_number_integer()) return false;
    if (value.is_number_unsigned() &&
        value.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()})
      return false;
    if (schema.format != "int32") return true;
    const auto number = value.get<int64_t>();
    return number >= std::numeric_limits<int32_t>::min() &&
           number <= std::numeric_limits<int32_t>::max();
  }

  void Report(const Schema& schema, const Json& value, const std::string& path) {
    std::string wanted(NameOfType(schema));
    // An integer that does not fit: the format says what would.
    if (schema.type == Type::kInteger && value.is_number_integer()) wanted = schema.format;
    findings_.problems.push_back(
        {.path = path, .found = std::string(NameOfType(value)), .wanted = std::move(wanted)});
  }

  SchemaFindings findings_;
};

}  // namespace

const Field* Schema::FindField(std::string_view name) const {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

std::string_view NameOfType(const Schema& schema) {
  switch (schema.type) {
    case Type::kString:
      return "string";
    case Type::kInteger:
      return "integer";
    case Type::kNumber:
      return "number";
    case Type::kBoolean:
      return "boolean";
    case Type::kArray:
      return "array";
    case Type::kIntOrString:
    case Type::kQuantity:
      return "integer,string";
    default:
      return "object";
  }
}

const Schema* MemberSchema(const Schema* schema, std::string_view member) {
  if (schema == nullptr) return nullptr;
  if (schema->type == Type::kMap) return schema->items.get();
  const Field* field = schema->type == Type::kObject ? schema->FindField(member) : nullptr;
  return field == nullptr ? nullptr : field->schema.get();
}

Field Kept(Field field) {
  field.zero = Zero::kKept;
  return field;
}

Field Written(Field field) {
  field.zero = Zero::kWritten;
  return field;
}

SchemaRef Text() {
  static const SchemaRef schema = Share({.type = Type::kString});
  return schema;
}

SchemaRef Int32() {
  static const SchemaRef schema = Share({.type = Type::kInteger, .format = "int32"});
  return schema;
}

SchemaRef Int64() {
  static const SchemaRef schema = Share({.type = Type::kInteger, .format = "int64"});
  return schema;
}

SchemaRef Bool() {
  static const SchemaRef schema = Share({.type = Type::kBoolean});
  return schema;
}

SchemaRef Timestamp() {
  static const SchemaRef schema = Share({.type = Type::kString, .format = "date-time"});
  return schema;
}

SchemaRef Bytes() {
  static const SchemaRef schema = Share({.type = Type::kString, .format = "byte"});
  return schema;
}

SchemaRef IntOrString() {
  static const SchemaRef schema = Share({.type = Type::kIntOrString, .format = "int32"});
  return schema;
}

SchemaRef QuantityText() {
  static const SchemaRef schema = Share({.type = Type::kQuantity});
  return schema;
}

SchemaRef AnyValue() {
  static const SchemaRef schema = Share({.type = Type::kAny});
  return schema;
}

SchemaRef AnyObject() {
  static const SchemaRef schema = Share({.type = Type::kAnyObject});
  return schema;
}

SchemaRef ListOf(SchemaRef items) {
  return Share({.type = Type::kArray, .items = std::move(items)});
}

SchemaRef ListByKey(std::string merge_key, SchemaRef items) {
  return Share(
      {.type = Type::kArray, .items = std::move(items), .merge_key = std::move(merge_key)});
}

SchemaRef SetOf(SchemaRef items) {
  return Share({.type = Type::kArray, .items = std::move(items), .is_set = true});
}

SchemaRef MapOf(SchemaRef values) {
  return Share({.type = Type::kMap, .items = std::move(values)});
}

SchemaRef ObjectOf(std::string description, std::vector<Field> fields) {
  return Share(
      {.type = Type::kObject, .description = std::move(description), .fields = std::move(fields)});
}

SchemaRef AtomicOf(const SchemaRef& schema) {
  Schema atomic = *schema;
  atomic.atomic = true;
  return Share(std::move(atomic));
}

SchemaRef Defined(std::string definition, std::string description, std::vector<Field> fields) {
  return Share({.type = Type::kObject,
                .description = std::move(description),
                .fields = std::move(fields),
                .definition = std::move(definition)});
}

SchemaFindings Conform(const Schema& schema, Json& object) {
  Conformer conformer;
  conformer.Walk(schema, object, "");
  return conformer.Take();
}

}  // namespace updraft::api

#include "core/api/canonical.h"

#include "core/api/access.h"
#include "core/api/quantity.h"

namespace updraft::api {
namespace {

using Type = Schema::Type;

// Go holds structs by pointer and amounts as values of their own: an empty one is there.
bool HasZero(Type type) {
  return type != Type::kObject && type != Type::kAnyObject && type != Type::kQuantity;
}

bool IsZero(const Json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value == 0;
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.is_null() || value.empty();
}

Json ZeroOf(Type type) {
  if (type == Type::kString) return "";
  if (type == Type::kObject) return Json::object();
  return 0;
}

void MakeObjectCanonical(const Schema& schema, Json& object) {
  for (const Field& field : schema.fields) {
    Json* value = Find(object, {field.name});
    if (value != nullptr) {
      MakeCanonical(*field.schema, *value);
      if (field.zero == Zero::kLeftOut && HasZero(field.schema->type) && IsZero(*value))
        object.erase(field.name);
    } else if (field.zero == Zero::kWritten) {
      object[field.name] = ZeroOf(field.schema->type);
    }
    if (!field.otherwise.empty() && Find(object, {field.name}) == nullptr)
      object[field.name] = field.otherwise;
  }
}

}  // namespace

void MakeCanonical(const Schema& schema, Json& value) {
  switch (schema.type) {
    case Type::kObject:
      if (value.is_object()) MakeObjectCanonical(schema, value);
      return;
    case Type::kMap:
    case Type::kArray:
      if (!value.is_structured()) return;
      for (Json& item : value) MakeCanonical(*schema.items, item);
      return;
    case Type::kQuantity:
      if (auto text = CanonicalQuantity(value)) value = *std::move(text);
      return;
    default:
      return;
  }
}

void MakeSpecCanonical(const Kind& kind, Json& object) {
  Json* spec = Find(object, {"spec"});
  const Schema* schema = MemberSchema(kind.schema.get(), "spec");
  if (spec != nullptr && schema != nullptr) MakeCanonical(*schema, *spec);
}

}  // namespace updraft::api

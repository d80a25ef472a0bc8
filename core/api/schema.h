// The shape of a kind's objects, said once: it finds unknown fields and wrong types, prunes, tells
// patches how lists merge, and is published as OpenAPI. Pure. Immutable once built.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.h"

namespace updraft::api {

struct Schema;
using SchemaRef = std::shared_ptr<const Schema>;

// What is kept of a field whose value is zero (0, false, "", [] or {}). See canonical.h.
enum class Zero {
  kLeftOut,  // nothing: it is as good as absent
  kKept,     // what was given, which is not the same as absent
  kWritten,  // it, also where it was absent
};

struct Field {
  std::string name = {};
  std::string description = {};
  SchemaRef schema = nullptr;
  // Known, so that validation can refuse it in Knative's words, but not offered in the OpenAPI
  // documents.
  bool hidden = false;
  bool required = false;  // in the documents only: validation says what is missing
  Zero zero = Zero::kLeftOut;
  std::string otherwise = {};  // the text that is written where there is none
};

struct Schema {
  enum class Type {
    kObject,  // with `fields`
    kMap,     // any keys, `items` as values
    kArray,   // of `items`
    kString,
    kInteger,  // `format` int32 or int64
    kNumber,
    kBoolean,
    kIntOrString,  // ports
    kQuantity,     // a number or a text such as 250m
    kAny,          // kept as it is
    kAnyObject,    // an object with any fields
  };

  Type type = Type::kAny;
  std::string description = {};
  std::string format = {};
  std::vector<Field> fields = {};
  SchemaRef items = nullptr;
  // kArray: the member that tells elements apart when a patch merges them. Empty: the patch's list
  // replaces the whole, unless the elements are a set.
  std::string merge_key = {};
  bool is_set = false;
  // Objects and maps: server-side apply takes it as one value, whatever its members are.
  bool atomic = false;
  // Published under this name and referred to; empty: written out in place.
  std::string definition = {};

  const Field* FindField(std::string_view name) const;
};

// "string", "array", "integer,string", ...: the JSON types of what fits, as messages and documents name them; "object"
// also for what may be anything.
std::string_view NameOfType(const Schema& schema);

// The schema of a member of an object; nullptr where nothing is known of it.
const Schema* MemberSchema(const Schema* schema, std::string_view member);

// Builders.
Field Kept(Field field);
Field Written(Field field);
SchemaRef Text();
SchemaRef Int32();
SchemaRef Int64();
SchemaRef Bool();
SchemaRef Timestamp();
SchemaRef Bytes();  // base64
SchemaRef IntOrString();
SchemaRef QuantityText();
SchemaRef AnyValue();
SchemaRef AnyObject();
SchemaRef ListOf(SchemaRef items);
SchemaRef ListByKey(std::string merge_key, SchemaRef items);
SchemaRef SetOf(SchemaRef items);
SchemaRef MapOf(SchemaRef values);
SchemaRef ObjectOf(std::string description, std::vector<Field> fields);
SchemaRef AtomicOf(const SchemaRef& schema);  // the same, as one value
SchemaRef Defined(std::string definition, std::string description, std::vector<Field> fields);

struct TypeProblem {
  std::string path = {};   // spec.template.spec.containers[0].env[0].value
  std::string found = {};  // null, boolean, integer, number, string, array, object
  std::string wanted = {};
};

struct SchemaFindings {
  std::vector<std::string> unknown;  // paths, in the order of the document
  std::vector<TypeProblem> problems;
};

// Removes from `object` what the schema does not know and members that are null; numbers without a
// fraction become integers where integers are wanted. What has the wrong type is left and reported.
SchemaFindings Conform(const Schema& schema, Json& object);

}  // namespace updraft::api

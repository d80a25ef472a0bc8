#include "cli/client/explain.h"

#include <algorithm>
#include <sstream>

#include "cli/client/resource.h"
#include "cli/client/verbs.h"

namespace updraft::cli {
namespace {

using api::Field;
using api::Schema;
using Type = Schema::Type;

constexpr size_t kWidth = 76;
constexpr char kIndent[] = "    ";

std::string TypeName(const Schema& schema) {
  if (!schema.definition.empty()) return schema.definition.substr(schema.definition.rfind('.') + 1);
  switch (schema.type) {
    case Type::kMap:
      return "map[string]" + TypeName(*schema.items);
    case Type::kArray:
      return "[]" + TypeName(*schema.items);
    case Type::kString:
    case Type::kInteger:
    case Type::kNumber:
    case Type::kBoolean:
      return std::string(api::NameOfType(schema));
    default:
      return "Object";
  }
}

// In lines of an indented column.
std::string Wrapped(const std::string& text) {
  std::istringstream words(text);
  std::string lines;
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() > kWidth)
      lines += kIndent + std::exchange(line, {}) + "\n";
    line += (line.empty() ? "" : " ") + word;
  }
  return line.empty() ? lines : lines + kIndent + line + "\n";
}

// What the fields are in: the schema itself, or that of the elements.
const Schema& Inner(const Schema& schema) {
  const bool many = schema.type == Type::kArray || schema.type == Type::kMap;
  return many ? Inner(*schema.items) : schema;
}

std::vector<const Field*> FieldsOf(const Schema& schema) {
  std::vector<const Field*> fields;
  for (const Field& field : Inner(schema).fields) {
    if (!field.hidden) fields.push_back(&field);
  }
  std::ranges::sort(fields, {}, &Field::name);
  return fields;
}

std::string FieldLine(const Field& field, size_t level) {
  return std::string(2 * level, ' ') + field.name + "\t<" + TypeName(*field.schema) + ">" +
         (field.required ? " -required-" : "") + "\n";
}

void AppendRecursively(const Schema& schema, size_t level, std::string& text) {
  for (const Field* field : FieldsOf(schema)) {
    text += FieldLine(*field, level);
    AppendRecursively(*field->schema, level + 1, text);
  }
}

std::string FieldsText(const Schema& schema, bool recursive) {
  if (FieldsOf(schema).empty()) return "";
  std::string text = "FIELDS:\n";
  if (recursive) {
    AppendRecursively(schema, 1, text);
    return text;
  }
  for (const Field* field : FieldsOf(schema))
    text += FieldLine(*field, 1) + Wrapped(field->description) + "\n";
  return text;
}

// What is said of the field, then of what it refers to.
std::string DescriptionOf(const Field* field, const Schema& schema) {
  if (field == nullptr) return Wrapped(schema.description);
  std::string text = Wrapped(field->description);
  if (!schema.definition.empty()) text += Wrapped(schema.description);
  if (schema.type == Type::kArray) text += Wrapped(schema.items->description);
  return text;
}

}  // namespace

Result<std::string> ExplainText(const api::Kind& kind, const std::vector<std::string>& path,
                                bool recursive) {
  const Schema* schema = kind.schema.get();
  const Field* field = nullptr;
  for (const std::string& name : path) {
    const Field* const next = Inner(*schema).FindField(name);
    if (next == nullptr || next->hidden)
      return Error{Code::kNotFound, "field \"" + name + "\" does not exist"};
    field = next;
    schema = field->schema.get();
  }
  std::string text = kind.group.empty() ? "" : "GROUP:      " + kind.group + "\n";
  text += "KIND:       " + kind.kind + "\nVERSION:    " + kind.version + "\n\n";
  if (field != nullptr) text += "FIELD: " + field->name + " <" + TypeName(*schema) + ">\n\n\n";
  text += "DESCRIPTION:\n" + DescriptionOf(field, *schema) + kIndent + "\n";
  return text + FieldsText(*schema, recursive) + "\n";
}

int Explain(const Session& session, const ExplainOptions& options) {
  std::vector<std::string> path;
  std::istringstream parts(options.what);
  for (std::string part; std::getline(parts, part, '.');) path.push_back(part);
  if (path.empty())
    return Fail(session.console, {Code::kInvalidArgument, "say what: KIND[.FIELD...]"});
  const Result<const api::Kind*> kind = KindNamed(path.front());
  if (!kind) return Fail(session.console, kind.error());
  path.erase(path.begin());
  const Result<std::string> text = ExplainText(**kind, path, options.recursive);
  if (!text) return Fail(session.console, text.error());
  session.console.out << *text << std::flush;
  return 0;
}

}  // namespace updraft::cli

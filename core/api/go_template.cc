#include "core/api/go_template.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/api/field_error.h"
#include "core/api/go_template_nodes.h"

namespace updraft::api {
namespace go_template {
namespace {

constexpr size_t kOutputMax = 4 << 10;

struct Nothing {};  // the element that a map has not
using Value =
    std::variant<Nothing, bool, int64_t, std::string, const TemplateMap*, const TemplateData*>;

std::string Printed(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  const auto* map = std::get_if<const TemplateMap*>(&value);
  if (map == nullptr) return "<no value>";
  std::string text = "map[";
  for (const auto& [key, element] : **map)
    text += (text.ends_with('[') ? "" : " ") + key + ":" + element;
  return text + "]";
}

bool IsTrue(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return !text->empty();
  if (const auto* number = std::get_if<int64_t>(&value)) return *number != 0;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* map = std::get_if<const TemplateMap*>(&value)) return !(*map)->empty();
  return std::holds_alternative<const TemplateData*>(value);
}

std::string TypeOf(const Value& value) {
  if (std::holds_alternative<std::string>(value)) return "string";
  if (std::holds_alternative<int64_t>(value)) return "int";
  if (std::holds_alternative<bool>(value)) return "bool";
  if (std::holds_alternative<const TemplateMap*>(value)) return "map[string]string";
  if (const auto* data = std::get_if<const TemplateData*>(&value)) return (*data)->type;
  return "<nil>";
}

Error Refuse(std::string what) { return {Code::kInvalidArgument, std::move(what)}; }

using Values = std::vector<Value>;

Result<Value> Index(const Values& arguments) {
  Value value = arguments.front();
  for (size_t i = 1; i < arguments.size(); ++i) {
    const auto* map = std::get_if<const TemplateMap*>(&value);
    const auto* key = std::get_if<std::string>(&arguments[i]);
    if (map == nullptr)
      return Refuse("error calling index: can't index item of type " + TypeOf(value));
    if (key == nullptr)
      return Refuse("error calling index: value has type " + TypeOf(arguments[i]) +
                    "; should be string");
    const auto found = (*map)->find(*key);
    value = found == (*map)->end() ? std::string() : found->second;
  }
  return value;
}

Result<Value> Equals(const Values& arguments) {
  if (arguments.size() < 2) return Refuse("error calling eq: missing argument for comparison");
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i].index() != arguments[0].index())
      return Refuse("error calling eq: incompatible types for comparison");
    if (Printed(arguments[i]) == Printed(arguments[0])) return Value(true);
  }
  return Value(false);
}

Result<Value> NotEquals(const Values& arguments) {
  Result<Value> equal = Equals(arguments);
  if (!equal) return equal;
  return Value(!IsTrue(*equal));
}

// The first that decides, or the last.
Result<Value> Decide(const Values& arguments, bool by) {
  for (const Value& value : arguments) {
    if (IsTrue(value) == by) return value;
  }
  return arguments.back();
}

Result<Value> Print(const Values& arguments) {
  std::string text;
  for (const Value& value : arguments) text += Printed(value);
  return Value(std::move(text));
}

Result<Value> Printf(const Values& arguments) {
  const auto* format = std::get_if<std::string>(&arguments.front());
  if (format == nullptr) return Refuse("wrong type for value; expected string");
  std::string text;
  size_t next = 1;
  for (size_t i = 0; i < format->size(); ++i) {
    const char c = (*format)[i];
    if (c != '%' || i + 1 == format->size()) {
      text += c;
      continue;
    }
    const char verb = (*format)[++i];
    if (verb == '%') {
      text += '%';
    } else if (next == arguments.size()) {
      text += std::string("%!") + verb + "(MISSING)";
    } else if (verb == 's' || verb == 'v' || verb == 'd') {
      text += Printed(arguments[next++]);
    } else if (verb == 'q') {
      text += Quoted(Printed(arguments[next++]));
    } else {
      return Refuse(std::string("error calling printf: verb %") + verb + " is not supported");
    }
  }
  return Value(std::move(text));
}

Result<Value> Length(const Values& arguments) {
  if (const auto* text = std::get_if<std::string>(&arguments.front()))
    return Value(static_cast<int64_t>(text->size()));
  if (const auto* map = std::get_if<const TemplateMap*>(&arguments.front()))
    return Value(static_cast<int64_t>((*map)->size()));
  return Refuse("error calling len: len of type " + TypeOf(arguments.front()));
}

struct NamedFunction {
  std::string_view name;
  Result<Value> (*call)(const Values& arguments);
};
constexpr NamedFunction kFunctions[] = {
    {"index", Index},
    {"eq", Equals},
    {"ne", NotEquals},
    {"and", [](const Values& arguments) { return Decide(arguments, false); }},
    {"or", [](const Values& arguments) { return Decide(arguments, true); }},
    {"not",
     [](const Values& arguments) { return Result<Value>(Value(!IsTrue(arguments.front()))); }},
    {"len", Length},
    {"print", Print},
    {"printf", Printf}};

class Execution {
 public:
  Execution(const std::string& name, const TemplateData& data) : name_(name), data_(data) {}

  Result<std::string> Run(const List& list) {
    Walk(list, Value(&data_));
    if (failed_) return *failed_;
    return std::move(out_);
  }

 private:
  void Fail(const Operand& at, const std::string& what) {
    if (failed_) return;
    failed_ = Refuse("template: " + name_ + ":" + std::to_string(at.place.line) + ":" +
                     std::to_string(at.place.column) + ": executing " + Quoted(name_) + " at <" +
                     at.text + ">: " + what);
  }

  void Walk(const List& list, const Value& dot) {
    for (const auto& node : list.nodes) {
      if (failed_) return;
      if (const auto* text = std::get_if<std::string>(&node)) {
        out_ += *text;
      } else if (const auto* pipeline = std::get_if<Pipeline>(&node)) {
        out_ += Printed(Evaluate(*pipeline, dot));
      } else {
        Take(std::get<Branch>(node), dot);
      }
      if (out_.size() > kOutputMax) failed_ = Refuse("template: " + name_ + ": more than 4 KiB");
    }
  }

  void Take(const Branch& branch, const Value& dot) {
    const Value condition = Evaluate(branch.condition, dot);
    if (failed_) return;
    const bool taken = IsTrue(condition);
    if (taken) Walk(*branch.then, branch.kind == Branch::Kind::kWith ? condition : dot);
    if (!taken && branch.otherwise) Walk(*branch.otherwise, dot);
  }

  Value Evaluate(const Pipeline& pipeline, const Value& dot) {
    std::optional<Value> result;
    for (const Command& command : pipeline.commands) {
      if (failed_) break;
      result = Call(command, dot, result);
    }
    return result.value_or(Nothing());
  }

  Value Call(const Command& command, const Value& dot, const std::optional<Value>& piped) {
    const Operand& first = command.front();
    const auto* function = std::get_if<Function>(&first.what);
    if (function == nullptr) {
      if (command.size() > 1 || piped)
        Fail(first, "can't give argument to non-function " + first.text);
      return failed_ ? Nothing() : ValueOf(first, dot);
    }
    Values arguments;
    for (size_t i = 1; i < command.size(); ++i) arguments.push_back(ValueOf(command[i], dot));
    if (piped) arguments.push_back(*piped);
    if (failed_) return Nothing();
    if (arguments.empty()) {
      Fail(first, "wrong number of args for " + function->name + ": want at least 1 got 0");
      return Nothing();
    }
    const auto* known = std::ranges::find(kFunctions, function->name, &NamedFunction::name);
    Result<Value> result = known->call(arguments);
    if (!result) Fail(first, result.error().message);
    return result ? *std::move(result) : Value(Nothing());
  }

  Value ValueOf(const Operand& operand, const Value& dot) {
    if (const auto* literal = std::get_if<Literal>(&operand.what))
      return std::visit([](const auto& value) { return Value(value); }, *literal);
    if (const auto* pipeline = std::get_if<std::shared_ptr<const Pipeline>>(&operand.what))
      return Evaluate(**pipeline, dot);
    const auto* path = std::get_if<FieldPath>(&operand.what);
    if (path == nullptr) return Call({operand}, dot, std::nullopt);
    Value value = path->from_root ? Value(&data_) : dot;
    for (const std::string& name : path->names) value = Member(operand, value, name);
    return value;
  }

  Value Member(const Operand& at, const Value& value, const std::string& name) {
    if (const auto* map = std::get_if<const TemplateMap*>(&value)) {
      const auto found = (*map)->find(name);
      return found == (*map)->end() ? Value(Nothing()) : Value(found->second);
    }
    if (const auto* data = std::get_if<const TemplateData*>(&value)) {
      const auto found = (*data)->fields.find(name);
      if (found != (*data)->fields.end()) {
        const auto* map = std::get_if<TemplateMap>(&found->second);
        return map != nullptr ? Value(map) : Value(std::get<std::string>(found->second));
      }
    }
    Fail(at, "can't evaluate field " + name + " in type " + TypeOf(value));
    return Nothing();
  }

  const std::string& name_;
  const TemplateData& data_;
  std::string out_;
  std::optional<Error> failed_;
};

}  // namespace

bool IsFunction(std::string_view name) {
  return std::ranges::find(kFunctions, name, &NamedFunction::name) != std::end(kFunctions);
}

}  // namespace go_template

Result<GoTemplate> GoTemplate::Parse(std::string name, std::string_view text) {
  Result<std::shared_ptr<const go_template::List>> root = go_template::Read(name, text);
  if (!root) return root.error();
  GoTemplate parsed;
  parsed.name_ = std::move(name);
  parsed.root_ = *std::move(root);
  return parsed;
}

Result<std::string> GoTemplate::Execute(const TemplateData& data) const {
  if (!root_) return std::string();
  return go_template::Execution(name_, data).Run(*root_);
}

}  // namespace updraft::api

// The tree that a Go template is read into, between its reader and its execution.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"

namespace updraft::api::go_template {

struct Place {
  int line = 1;
  int column = 0;  // bytes from the start of the line
};

struct Pipeline;

// {{.A.B}}, {{$}}: fields below `.` or the root; none: the value itself.
struct FieldPath {
  bool from_root = false;
  std::vector<std::string> names = {};
};
struct Function {
  std::string name = {};
};
using Literal = std::variant<std::string, int64_t, bool>;

struct Operand {
  std::variant<FieldPath, Function, Literal, std::shared_ptr<const Pipeline>> what = {};
  Place place = {};
  std::string text = {};  // as it was written
};
using Command = std::vector<Operand>;  // the first is the function, if there is one

struct Pipeline {
  std::vector<Command> commands = {};
};

struct List;
struct Branch {
  enum class Kind { kIf, kWith };
  Kind kind = Kind::kIf;
  Pipeline condition = {};
  std::shared_ptr<const List> then = nullptr;
  std::shared_ptr<const List> otherwise = nullptr;  // null: nothing
};
struct List {
  std::vector<std::variant<std::string, Pipeline, Branch>> nodes = {};
};

bool IsFunction(std::string_view name);

Result<std::shared_ptr<const List>> Read(const std::string& name, std::string_view text);

}  // namespace updraft::api::go_template

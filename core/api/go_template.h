// Go's text templates, as far as Knative's configuration has uses for them: host names and names of
// containers. Pure.
//
//   {{.Name}}-{{index .Annotations "sub"}}.{{.Namespace}}.{{.Domain}}
//   {{if eq .Namespace "prod"}}{{.Name}}{{else}}{{printf "%s-%s" .Name .Namespace}}{{end}}
//
// Fields, $, texts and numbers, parentheses, pipes, comments, {{- and -}}; if, else if, else, with;
// index, eq, ne, and, or, not, len, print, printf (%s %v %q %d). There are no variables, no range
// and no templates within templates: such a template is refused when it is read.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/result.h"

namespace updraft::api {

using TemplateMap = std::map<std::string, std::string>;
// What `.` is: its fields by name. `type` as error messages call it.
struct TemplateData {
  std::string type = {};
  std::map<std::string, std::variant<std::string, TemplateMap>, std::less<>> fields = {};
};

namespace go_template {
struct List;
}

class GoTemplate {
 public:
  GoTemplate() = default;  // empty: gives no text

  // kInvalidArgument in Go's words. `name` is what they call it.
  static Result<GoTemplate> Parse(std::string name, std::string_view text);

  // kInvalidArgument: it asks for what `data` has not, or gives more text than any name may have.
  Result<std::string> Execute(const TemplateData& data) const;

 private:
  std::string name_;
  std::shared_ptr<const go_template::List> root_ = nullptr;  // shared: immutable
};

}  // namespace updraft::api

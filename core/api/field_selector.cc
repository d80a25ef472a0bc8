#include <algorithm>

#include "core/api/access.h"
#include "core/api/selectors.h"

namespace updraft::api {
namespace {

struct Term {
  std::string field = {};
  std::string value = {};
  bool equal = true;
};

// Up to the next comma that no backslash protects.
std::string TakeTerm(std::string_view& text) {
  std::string term;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == ',') return term;
    term += c;
    if (c == '\\' && !text.empty()) {
      term += text.front();
      text.remove_prefix(1);
    }
  }
  return term;
}

std::string Unescape(std::string_view value) {
  std::string plain;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    plain += value[i];
  }
  return plain;
}

Result<Term> ParseTerm(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
      continue;
    }
    const std::string_view rest = std::string_view(text).substr(i);
    for (const std::string_view op : {"!=", "==", "="}) {
      if (!rest.starts_with(op)) continue;
      return Term{.field = text.substr(0, i),
                  .value = Unescape(rest.substr(op.size())),
                  .equal = op != "!="};
    }
  }
  return Error{Code::kInvalidArgument,
               "invalid selector: '" + text + "'; can't understand '" + text + "'"};
}

// What stands at a dotted path, as text. An absent field compares as empty.
std::string FieldText(const Json& object, std::string_view field) {
  const Json* at = &object;
  while (true) {
    const size_t dot = field.find('.');
    at = Find(*at, {field.substr(0, dot)});
    if (at == nullptr) return "";
    if (dot == std::string_view::npos) break;
    field.remove_prefix(dot + 1);
  }
  if (at->is_string()) return at->get<std::string>();
  return at->is_primitive() ? at->dump() : "";
}

}  // namespace

Result<FieldSelector> FieldSelector::Parse(std::string_view text,
                                           std::span<const std::string> selectable) {
  FieldSelector selector;
  while (!text.empty()) {
    const std::string piece = TakeTerm(text);
    if (piece.empty()) continue;
    Result<Term> term = ParseTerm(piece);
    if (!term) return term.error();
    const bool known = term->field == "metadata.name" || term->field == "metadata.namespace" ||
                       std::ranges::find(selectable, term->field) != selectable.end();
    if (!known) return Error{Code::kInvalidArgument, "field label not supported: " + term->field};
    selector.requirements_.push_back(
        {.field = term->field, .value = term->value, .equal = term->equal});
  }
  return selector;
}

bool FieldSelector::Matches(const Json& object) const {
  return std::ranges::all_of(requirements_, [&object](const Requirement& requirement) {
    std::string found = FieldText(object, requirement.field);
    // A boolean that is not set is false: `spec.unschedulable=false` matches a node without the
    // field.
    if (found.empty() && requirement.value == "false") found = "false";
    return (found == requirement.value) == requirement.equal;
  });
}

std::string FieldSelector::Name() const {
  for (const Requirement& requirement : requirements_) {
    if (requirement.equal && requirement.field == "metadata.name") return requirement.value;
  }
  return "";
}

}  // namespace updraft::api

#include "core/api/write_yaml.h"

#include "core/api/access.h"
#include "core/api/read.h"

namespace updraft::api {
namespace {

// YAML 1.2.2, section 7.4: longer keys are said to be keys in front.
constexpr size_t kImplicitKeyMax = 1024;

bool NeedsQuotes(const std::string& text) {
  if (text.empty() || text == "<<") return true;  // a plain "<<" as a key merges
  constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`=";
  if (kIndicators.find(text.front()) != std::string_view::npos) {
    // A dash is an indicator before a space alone.
    if (text.front() != '-' || text.size() == 1 || text[1] == ' ' || text == "---") return true;
  }
  if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return true;
  if (text.find(": ") != std::string::npos || text.find(" #") != std::string::npos) return true;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  // A plain scalar that would be read as a number, a boolean, null or a date.
  const Result<Json> plain = ResolvePlainScalar(text);
  const bool date = text.size() >= 8 && text[4] == '-' &&
                    text.find_first_not_of("0123456789-T:.Z+ ") == std::string::npos;
  return !plain || !plain->is_string() || date;
}

bool FitsLiteral(const std::string& text) {
  if (text.find('\n') == std::string::npos || text.front() == ' ' || text.front() == '\n')
    return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 && text[i] != '\n' && text[i] != '\t') return false;
    if (text[i] == '\n' && i > 0 && text[i - 1] == ' ') return false;
  }
  return true;
}

class YamlWriter {
 public:
  void Member(const Json& value, size_t indent) {
    if (value.is_object() && !value.empty()) {
      text_ += '\n';
      Object(value, indent + 2, false);
    } else if (value.is_array() && !value.empty()) {
      text_ += '\n';
      Array(value, indent);
    } else {
      text_ += ' ';
      Scalar(value, indent + 2);
      text_ += '\n';
    }
  }

  // `inline_first`: the first member goes on the current line, behind "- ".
  void Object(const Json& object, size_t indent, bool inline_first) {
    bool first = inline_first;
    for (const auto& [key, value] : object.items()) {
      if (!first) text_.append(indent, ' ');
      first = false;
      const std::string written =
          NeedsQuotes(key) ? Json(key).dump(-1, ' ', false, Json::error_handler_t::replace) : key;
      if (written.size() > kImplicitKeyMax) {
        text_ += "? " + written + '\n';
        text_.append(indent, ' ');
      } else {
        text_ += written;
      }
      text_ += ':';
      Member(value, indent);
    }
  }

  void Array(const Json& array, size_t indent) {
    for (const Json& element : array) {
      text_.append(indent, ' ');
      text_ += '-';
      if (element.is_object() && !element.empty()) {
        text_ += ' ';
        Object(element, indent + 2, true);
      } else if (element.is_array() && !element.empty()) {
        text_ += '\n';
        Array(element, indent + 2);
      } else {
        text_ += ' ';
        Scalar(element, indent + 2);
        text_ += '\n';
      }
    }
  }

  void Scalar(const Json& value, size_t indent) {
    if (!value.is_string()) {
      text_ += ToText(value);
      return;
    }
    const auto& text = value.get_ref<const std::string&>();
    if (!text.empty() && FitsLiteral(text)) return Literal(text, indent);
    text_ += NeedsQuotes(text) ? ToText(value) : text;
  }

  std::string Take() { return std::move(text_); }

 private:
  void Literal(const std::string& text, size_t indent) {
    const bool ends = text.back() == '\n';
    const bool ends_twice = text.ends_with("\n\n");
    text_ += ends_twice ? "|+" : ends ? "|" : "|-";
    size_t start = 0;
    while (start < text.size()) {
      size_t end = text.find('\n', start);
      if (end == std::string::npos) end = text.size();
      text_ += '\n';
      if (end > start) text_.append(indent, ' ').append(text, start, end - start);
      start = end + 1;
    }
  }

  std::string text_;
};

}  // namespace

std::string WriteYaml(const Json& document) {
  YamlWriter writer;
  if (document.is_object() && !document.empty()) {
    writer.Object(document, 0, false);
    return writer.Take();
  }
  if (document.is_array() && !document.empty()) {
    writer.Array(document, 0);
    return writer.Take();
  }
  writer.Scalar(document, 0);
  return writer.Take() + "\n";
}

}  // namespace updraft::api

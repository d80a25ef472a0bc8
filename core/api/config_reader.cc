#include "core/api/config_reader.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/api/duration.h"
#include "core/api/field_error.h"
#include "core/api/go_number.h"
#include "core/api/quantity.h"

namespace updraft::api {
namespace {

std::string_view Trimmed(std::string_view text) {
  const auto space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

template <typename T>
std::string ReadInteger(const std::string& text, T& into) {
  int64_t value = 0;
  switch (ParseGoInt(text, 8 * sizeof into, value)) {
    case GoNumber::kBadSyntax:
      return NotANumber("ParseInt", text, "invalid syntax");
    case GoNumber::kOutOfRange:
      return NotANumber("ParseInt", text, "value out of range");
    case GoNumber::kRead:
      into = static_cast<T>(value);
  }
  return {};
}

}  // namespace

std::string NotANumber(std::string_view function, std::string_view text, std::string_view why) {
  return "strconv." + std::string(function) + ": parsing " + Quoted(text) + ": " + std::string(why);
}

std::string ReadValue(const std::string& text, double& into) {
  double value = 0;
  const GoNumber read = ParseGoFloat(text, value);
  if (read == GoNumber::kOutOfRange) return NotANumber("ParseFloat", text, "value out of range");
  // Go reads inf and nan too; nothing here can be configured to be so.
  if (read == GoNumber::kBadSyntax || !std::isfinite(value))
    return NotANumber("ParseFloat", text, "invalid syntax");
  into = value;
  return {};
}

std::string ReadValue(const std::string& text, int32_t& into) { return ReadInteger(text, into); }
std::string ReadValue(const std::string& text, int64_t& into) { return ReadInteger(text, into); }

std::string ReadValue(const std::string& text, bool& into) {
  for (const char* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return into = true, std::string();
  }
  for (const char* no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return into = false, std::string();
  }
  return NotANumber("ParseBool", text, "invalid syntax");
}

std::string ReadValue(const std::string& text, Nanos& into) {
  if (const auto value = ParseGoDuration(text)) return into = *value, std::string();
  return ExplainGoDuration(text);
}

std::string ReadValue(const std::string& text, std::string& into) {
  return into = Trimmed(text), std::string();
}

std::string ReadValue(const std::string& text, std::set<std::string>& into) {
  into.clear();
  for (std::string_view rest = text;;) {
    const size_t comma = rest.find(',');
    into.emplace(Trimmed(rest.substr(0, comma)));
    if (comma == std::string_view::npos) return {};
    rest.remove_prefix(comma + 1);
  }
}

std::string ReadValue(const std::string& text, std::optional<Amount>& into) {
  if (!Quantity::Parse(text)) {
    return "quantities must match the regular expression "
           "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  }
  into = Amount{text};
  return {};
}

void KeyReader::Fail(std::string_view key, const std::string& why) {
  failure_ = Error{Code::kInvalidArgument, "failed to parse " + Quoted(key) + ": " + why};
}

bool EqualFold(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

}  // namespace updraft::api

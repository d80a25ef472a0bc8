#include "core/api/field_error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <tuple>

namespace updraft::api {
namespace {

std::string JoinPath(std::string_view prefix, std::string_view path) {
  if (prefix.empty()) return std::string(path);
  if (path.empty()) return std::string(prefix);
  // An index sticks to the name before it: spec.containers[0]. A key with dots does not: Knative
  // splits paths at dots and no longer sees the brackets' end.
  const std::string_view first = path.substr(0, path.find('.'));
  const bool index = first.front() == '[' && first.back() == ']';
  return std::string(prefix) + (index ? "" : ".") + std::string(path);
}

std::string JoinPaths(const std::vector<std::string>& paths) {
  std::string text;
  for (size_t i = 0; i < paths.size(); ++i) text += (i == 0 ? "" : ", ") + paths[i];
  return text;
}

}  // namespace

void FieldErrors::Add(FieldErrors more) {
  std::ranges::move(more.errors_, std::back_inserter(errors_));
}

FieldErrors FieldErrors::ViaField(std::string_view field) const {
  FieldErrors outer = *this;
  for (FieldError& error : outer.errors_) {
    for (std::string& path : error.paths) path = JoinPath(field, path);
  }
  return outer;
}

FieldErrors FieldErrors::ViaIndex(size_t index) const {
  return ViaField("[" + std::to_string(index) + "]");
}

FieldErrors FieldErrors::ViaKey(std::string_view key) const {
  return ViaField("[" + std::string(key) + "]");
}

FieldErrors FieldErrors::AtLevel(FieldError::Level level) const {
  FieldErrors changed = *this;
  for (FieldError& error : changed.errors_) error.level = level;
  return changed;
}

FieldErrors FieldErrors::Only(FieldError::Level level) const {
  FieldErrors kept;
  std::ranges::copy_if(errors_, std::back_inserter(kept.errors_),
                       [level](const FieldError& error) { return error.level == level; });
  return kept;
}

std::vector<FieldError> FieldErrors::Merged() const {
  std::map<std::tuple<std::string, std::string, FieldError::Level>, std::vector<std::string>>
      by_text;
  for (const FieldError& error : errors_) {
    std::vector<std::string>& paths = by_text[{error.message, error.details, error.level}];
    for (const std::string& path : error.paths) {
      if (std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
    }
  }
  std::vector<FieldError> merged;
  for (auto& [text, paths] : by_text) {
    std::ranges::sort(paths);
    const auto& [message, details, level] = text;
    merged.push_back(
        {.message = message, .paths = std::move(paths), .details = details, .level = level});
  }
  return merged;
}

std::string FieldErrors::Text() const {
  std::string text;
  for (const FieldError& error : Merged()) {
    if (!text.empty()) text += '\n';
    text += error.message + ": " + JoinPaths(error.paths);
    if (!error.details.empty()) text += "\n" + error.details;
  }
  return text;
}

FieldError MissingField(std::vector<std::string> paths) {
  return {.message = "missing field(s)", .paths = std::move(paths)};
}

FieldError DisallowedFields(std::vector<std::string> paths) {
  return {.message = "must not set the field(s)", .paths = std::move(paths)};
}

FieldError InvalidValue(std::string_view value, std::string_view path, std::string_view details) {
  return {.message = "invalid value: " + std::string(value),
          .paths = {std::string(path)},
          .details = std::string(details)};
}

FieldError MissingOneOf(std::vector<std::string> paths) {
  return {.message = "expected exactly one, got neither", .paths = std::move(paths)};
}

FieldError MultipleOneOf(std::vector<std::string> paths) {
  return {.message = "expected exactly one, got both", .paths = std::move(paths)};
}

FieldError InvalidKeyName(std::string_view key, std::string_view path, std::string_view details) {
  return {.message = "invalid key name " + Quoted(key),
          .paths = {std::string(path)},
          .details = std::string(details)};
}

FieldError OutOfBounds(std::string_view value, std::string_view lower, std::string_view upper,
                       std::string_view path) {
  return {.message = "expected " + std::string(lower) + " <= " + std::string(value) +
                     " <= " + std::string(upper),
          .paths = {std::string(path)}};
}

FieldError Generic(std::string_view message, std::vector<std::string> paths) {
  return {.message = std::string(message), .paths = std::move(paths)};
}

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else if (c == '\r') {
      quoted += "\\r";
    } else if (byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string FormatFloat(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  const double size = std::fabs(value);
  const bool scientific = size != 0 && (size < 1e-4 || size >= 1e6);
  char text[64];
  const auto result =
      std::to_chars(text, text + sizeof text, value,
                    scientific ? std::chars_format::scientific : std::chars_format::fixed);
  return {text, result.ptr};
}

}  // namespace updraft::api

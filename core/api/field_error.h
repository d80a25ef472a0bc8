// What is wrong with the fields of an object, in Knative's form: "message: path1, path2". Pure.
//
//   FieldErrors errors;
//   errors.Add(MissingField({"image"}));
//   all.Add(errors.ViaFieldIndex("containers", 0).ViaField("spec"));  // missing field(s):
//   spec.containers[0].image
//
// A path is relative to where the error was found; "" means that very place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace updraft::api {

struct FieldError {
  enum class Level { kError, kWarning };

  std::string message = {};
  std::vector<std::string> paths = {};
  std::string details = {};  // a longer text on a line of its own
  Level level = Level::kError;

  bool operator==(const FieldError&) const = default;
};

class FieldErrors {
 public:
  FieldErrors() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  FieldErrors(FieldError error) : errors_{std::move(error)} {}

  void Add(FieldErrors more);
  bool empty() const { return errors_.empty(); }
  void Clear() { errors_.clear(); }

  // The same errors, seen from one level further out.
  [[nodiscard]] FieldErrors ViaField(std::string_view field) const;
  [[nodiscard]] FieldErrors ViaIndex(size_t index) const;
  [[nodiscard]] FieldErrors ViaKey(std::string_view key) const;
  [[nodiscard]] FieldErrors ViaFieldIndex(std::string_view field, size_t index) const {
    return ViaIndex(index).ViaField(field);
  }
  [[nodiscard]] FieldErrors AtLevel(FieldError::Level level) const;
  [[nodiscard]] FieldErrors Only(FieldError::Level level) const;

  // Equal messages are one, with all their paths; sorted by message, then paths.
  std::vector<FieldError> Merged() const;
  // The merged errors, one after the other on lines of their own.
  std::string Text() const;

 private:
  std::vector<FieldError> errors_;
};

// The messages that recur. Values are given as Go prints them.
FieldError MissingField(std::vector<std::string> paths);
FieldError DisallowedFields(std::vector<std::string> paths);
FieldError InvalidValue(std::string_view value, std::string_view path,
                        std::string_view details = {});
FieldError MissingOneOf(std::vector<std::string> paths);
FieldError MultipleOneOf(std::vector<std::string> paths);
FieldError InvalidKeyName(std::string_view key, std::string_view path,
                          std::string_view details = {});
FieldError OutOfBounds(std::string_view value, std::string_view lower, std::string_view upper,
                       std::string_view path);
FieldError Generic(std::string_view message, std::vector<std::string> paths);

// As Go's %q: in double quotes, with escapes.
std::string Quoted(std::string_view text);
// As Go's %v of a float64: 0.1, 100, 1e+21.
std::string FormatFloat(double value);

}  // namespace updraft::api

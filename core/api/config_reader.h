// Reads the keys of a ConfigMap's data, with the words of Go's and Knative's parsers for what
// cannot be read. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace updraft::api {

using ConfigKeys = std::map<std::string, std::string>;

// What is wrong with `text`; empty: nothing, and it is in `into`.
std::string ReadValue(const std::string& text, double& into);
std::string ReadValue(const std::string& text, int32_t& into);
std::string ReadValue(const std::string& text, int64_t& into);
std::string ReadValue(const std::string& text, bool& into);
std::string ReadValue(const std::string& text, Nanos& into);
std::string ReadValue(const std::string& text, std::string& into);  // without the space around it
std::string ReadValue(const std::string& text, std::set<std::string>& into);  // a, b, c

// What Go's strconv says.
std::string NotANumber(std::string_view function, std::string_view text, std::string_view why);

// An amount that a ConfigMap gives: "250m". Read by the parser, kept as it was written.
struct Amount {
  std::string text = {};
  bool operator==(const Amount&) const = default;
};
std::string ReadValue(const std::string& text, std::optional<Amount>& into);

// Reads one key after the other. A key that is absent leaves its target as it is, and after the
// first that cannot be read all do.
class KeyReader {
 public:
  // `keys` must outlive it.
  explicit KeyReader(const ConfigKeys& keys) : keys_(keys) {}

  template <typename T>
  void Read(std::string_view key, T& target) {
    const auto found = keys_.find(std::string(key));
    if (failure_ || found == keys_.end()) return;
    if (const std::string why = ReadValue(found->second, target); !why.empty()) Fail(key, why);
  }
  // The first of a key's names that is there counts for less than the last.
  template <typename T>
  void ReadWithOldName(std::string_view old_key, std::string_view key, T& target) {
    Read(old_key, target);
    Read(key, target);
  }

  // kInvalidArgument: `failed to parse "key": ...`
  const std::optional<Error>& failure() const { return failure_; }

 private:
  void Fail(std::string_view key, const std::string& why);

  const ConfigKeys& keys_;
  std::optional<Error> failure_;
};

bool EqualFold(std::string_view a, std::string_view b);

}  // namespace updraft::api

// Amounts of cpu, memory and the like: "250m", "1.5", "128Mi", "1e3". Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/api/json.h"

namespace updraft::api {

// Exact to a billionth, rounded away from zero below it. Values beyond 2^63-1 are capped to that.
class Quantity {
 public:
  // nullopt: not the form that Kubernetes accepts.
  static std::optional<Quantity> Parse(std::string_view text);
  // A JSON string or number.
  static std::optional<Quantity> FromJson(const Json& json);

  // Rounded up, as Kubernetes does: 1.5 is 2, "100m" is 1.
  int64_t Value() const;
  int64_t MilliValue() const;

  auto operator<=>(const Quantity&) const = default;

  // How Kubernetes writes it, with the suffixes of the text that it came from: "1.5" is "1500m", "1024Ki" "1Mi",
  // "1e3" stays.
  std::string CanonicalText(std::string_view original) const;

 private:
  __extension__ typedef __int128 Wide;
  explicit Quantity(Wide nanos) : nanos_(nanos) {}

  Wide nanos_ = 0;
};

// The canonical text of a JSON string or number; nullopt: no quantity.
std::optional<std::string> CanonicalQuantity(const Json& json);

}  // namespace updraft::api

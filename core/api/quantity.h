// Amounts of cpu, memory and the like: "250m", "1.5", "128Mi", "1e3". Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
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

 private:
  __extension__ typedef __int128 Wide;
  explicit Quantity(Wide nanos) : nanos_(nanos) {}

  Wide nanos_ = 0;
};

}  // namespace updraft::api

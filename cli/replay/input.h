// JSON lines, one value a line, with the places of their faults. Pure.
#pragma once

#include <functional>
#include <istream>
#include <optional>
#include <string>

#include "core/api/json.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace updraft::cli {

// An object on its line. Reads members by name; the first that is missing or of another kind is the
// fault of the line.
class InputLine {
 public:
  InputLine(const Json& object, size_t number) : object_(object), number_(number) {}

  const Json& object() const { return object_; }
  size_t number() const { return number_; }
  bool Has(const char* key) const { return object_.contains(key); }

  // nullopt: absent or null.
  std::optional<double> Number(const char* key);
  std::optional<int> Count(const char* key);  // a whole number from 0
  std::optional<bool> Flag(const char* key);
  std::optional<std::string> Text(const char* key);
  // REQUIRED ones: their absence is a fault as well.
  double NumberOrFault(const char* key);
  // Seconds from 0.
  Nanos SecondsOrFault(const char* key);

  void Fault(const std::string& what);
  bool failed() const { return fault_.has_value(); }
  Error fault() const { return *fault_; }

 private:
  const Json& object_;
  const size_t number_;
  std::optional<Error> fault_;
};

// Calls `take` for each line that is not empty, until one fails. Errors (kInvalidArgument) begin
// with "NAME:LINE: ".
Status ForEachLine(std::istream& in, const std::string& name,
                   const std::function<Status(InputLine&)>& take);

// Seconds as the core's time, to the nanosecond; they are at least 0 and less than 300 years.
Nanos ToNanos(double seconds);
inline TimePoint At(double seconds) { return TimePoint(ToNanos(seconds)); }

}  // namespace updraft::cli

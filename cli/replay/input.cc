#include "cli/replay/input.h"

#include <cmath>
#include <limits>

namespace updraft::cli {
namespace {

constexpr double kSecondsMax = 9e9;  // some 285 years, what 64 bits of nanoseconds hold
constexpr size_t kLineBytesMax = 1 << 20;

}  // namespace

Nanos ToNanos(double seconds) { return Nanos(std::llround(seconds * 1e9)); }

void InputLine::Fault(const std::string& what) {
  if (!fault_) fault_ = Error{Code::kInvalidArgument, what};
}

std::optional<double> InputLine::Number(const char* key) {
  const auto it = object_.find(key);
  if (it == object_.end() || it->is_null()) return std::nullopt;
  if (it->is_number()) return it->get<double>();
  Fault(std::string("\"") + key + "\" is to be a number");
  return std::nullopt;
}

std::optional<int> InputLine::Count(const char* key) {
  const auto value = Number(key);
  if (!value) return std::nullopt;
  if (*value >= 0 && *value <= std::numeric_limits<int>::max() && std::floor(*value) == *value)
    return static_cast<int>(*value);
  Fault(std::string("\"") + key + "\" is to be a whole number from 0");
  return std::nullopt;
}

std::optional<bool> InputLine::Flag(const char* key) {
  const auto it = object_.find(key);
  if (it == object_.end() || it->is_null()) return std::nullopt;
  if (it->is_boolean()) return it->get<bool>();
  Fault(std::string("\"") + key + "\" is to be true or false");
  return std::nullopt;
}

std::optional<std::string> InputLine::Text(const char* key) {
  const auto it = object_.find(key);
  if (it == object_.end() || it->is_null()) return std::nullopt;
  if (it->is_string()) return it->get<std::string>();
  Fault(std::string("\"") + key + "\" is to be a text");
  return std::nullopt;
}

double InputLine::NumberOrFault(const char* key) {
  const auto value = Number(key);
  if (!value) Fault(std::string("\"") + key + "\" is missing");
  return value.value_or(0);
}

Nanos InputLine::SecondsOrFault(const char* key) {
  const double value = NumberOrFault(key);
  if (value >= 0 && value < kSecondsMax) return ToNanos(value);
  Fault(std::string("\"") + key + "\" is to be seconds from 0");
  return Nanos(0);
}

Status ForEachLine(std::istream& in, const std::string& name,
                   const std::function<Status(InputLine&)>& take) {
  std::string text;
  for (size_t number = 1; std::getline(in, text); ++number) {
    const std::string place = name + ":" + std::to_string(number) + ": ";
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (text.size() > kLineBytesMax)
      return Error{Code::kInvalidArgument, place + "longer than a megabyte"};
    const Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!value.is_object()) return Error{Code::kInvalidArgument, place + "a JSON object is wanted"};
    InputLine line(value, number);
    const Status taken = take(line);
    if (!taken) return Error{taken.error().code, place + taken.error().message};
    if (line.failed()) return Error{Code::kInvalidArgument, place + line.fault().message};
  }
  if (in.bad()) return Error{Code::kUnavailable, name + ": cannot be read"};
  return Ok();
}

}  // namespace updraft::cli

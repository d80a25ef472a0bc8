#include "core/api/gc_config.h"

#include <charconv>
#include <limits>

namespace updraft::api {
namespace {

constexpr std::string_view kDisabled = "disabled";

std::string ReadOrDisabled(const std::string& text, std::optional<Nanos>& into) {
  if (text.empty()) return {};
  if (EqualFold(text, kDisabled)) return into = std::nullopt, std::string();
  Nanos value{};
  if (std::string why = ReadValue(text, value); !why.empty()) return why;
  if (value < Nanos(0)) return "must be non-negative";
  into = value;
  return {};
}

std::string ReadOrDisabled(const std::string& text, std::optional<int64_t>& into) {
  if (text.empty()) return {};
  if (EqualFold(text, kDisabled)) return into = std::nullopt, std::string();
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range)
    return NotANumber("ParseUint", text, "value out of range");
  if (error != std::errc() || end != text.data() + text.size())
    return NotANumber("ParseUint", text, "invalid syntax");
  constexpr auto kMax = std::numeric_limits<int64_t>::max();
  if (value > static_cast<uint64_t>(kMax))
    return "value should be lower than " + std::to_string(kMax);
  into = static_cast<int64_t>(value);
  return {};
}

template <typename T>
Status ReadKey(const ConfigKeys& keys, const std::string& key, T& into) {
  std::string text;
  KeyReader(keys).Read(key, text);
  const std::string why = ReadOrDisabled(text, into);
  if (why.empty()) return Ok();
  return Error{Code::kInvalidArgument, "failed to parse " + key + ": " + why};
}

}  // namespace

Result<RevisionRetention> RevisionRetention::Parse(const ConfigKeys& keys) {
  RevisionRetention r;
  KeyReader reader(keys);
  reader.Read("min-non-active-revisions", r.non_active_min);
  if (reader.failure()) return Context("failed to parse data", *reader.failure());
  Status read = ReadKey(keys, "retain-since-create-time", r.since_create);
  if (read) read = ReadKey(keys, "retain-since-last-active-time", r.since_last_active);
  if (read) read = ReadKey(keys, "max-non-active-revisions", r.non_active_max);
  if (!read) return read.error();
  const std::string least = std::to_string(r.non_active_min);
  if (r.non_active_min < 0) {
    return Error{Code::kInvalidArgument,
                 "min-non-active-revisions must be non-negative, was: " + least};
  }
  if (r.non_active_max && r.non_active_min > *r.non_active_max) {
    return Error{Code::kInvalidArgument, "min-non-active-revisions(" + least +
                                             ") must be <= max-non-active-revisions(" +
                                             std::to_string(*r.non_active_max) + ")"};
  }
  return r;
}

}  // namespace updraft::api

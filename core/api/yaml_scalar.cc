// The scalar rules of go-yaml v2, through which every client and server of Kubernetes reads YAML.
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "core/api/ascii.h"
#include "core/api/read.h"

namespace updraft::api {
namespace {

struct Word {
  std::string_view text;
  int meaning = 0;  // 0 false, 1 true, 2 null, 3 what JSON cannot hold
};

constexpr Word kWords[] = {{"y", 1},     {"Y", 1},     {"yes", 1},   {"Yes", 1},   {"YES", 1},
                           {"true", 1},  {"True", 1},  {"TRUE", 1},  {"on", 1},    {"On", 1},
                           {"ON", 1},    {"n", 0},     {"N", 0},     {"no", 0},    {"No", 0},
                           {"NO", 0},    {"false", 0}, {"False", 0}, {"FALSE", 0}, {"off", 0},
                           {"Off", 0},   {"OFF", 0},   {"", 2},      {"~", 2},     {"null", 2},
                           {"Null", 2},  {"NULL", 2},  {".nan", 3},  {".NaN", 3},  {".NAN", 3},
                           {".inf", 3},  {".Inf", 3},  {".INF", 3},  {"+.inf", 3}, {"+.Inf", 3},
                           {"+.INF", 3}, {"-.inf", 3}, {"-.Inf", 3}, {"-.INF", 3}};

// 2001-01-02 and longer: text, although its beginning is a number.
bool LooksLikeDate(std::string_view text) {
  return text.size() > 4 && text[4] == '-' && IsDigit(text[0]) && IsDigit(text[1]) &&
         IsDigit(text[2]) && IsDigit(text[3]);
}

std::optional<Json> ParseInteger(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) base = 16;
  if (text.starts_with("0b") || text.starts_with("0B")) base = 2;
  if (text.starts_with("0o") || text.starts_with("0O")) base = 8;
  if (base != 10) {
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.front() == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  uint64_t magnitude = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  constexpr auto kMost = uint64_t{std::numeric_limits<int64_t>::max()};
  if (!negative)
    return magnitude <= kMost ? Json(static_cast<int64_t>(magnitude)) : Json(magnitude);
  if (magnitude > kMost + 1) return std::nullopt;
  return Json(static_cast<int64_t>(~magnitude + 1));
}

bool IsDecimal(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  bool digits = false;
  bool point = false;
  while (!text.empty() && (IsDigit(text.front()) || (text.front() == '.' && !point))) {
    digits = digits || IsDigit(text.front());
    point = point || text.front() == '.';
    text.remove_prefix(1);
  }
  if (!digits) return false;
  if (text.empty()) return true;
  if (text.front() != 'e' && text.front() != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<Json> ParseDecimal(std::string_view text) {
  if (!IsDecimal(text)) return std::nullopt;
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Json(value);
}

}  // namespace

Result<Json> ResolvePlainScalar(std::string_view text) {
  for (const Word& word : kWords) {
    if (word.text != text) continue;
    if (word.meaning == 2) return Json(nullptr);
    if (word.meaning == 3)
      return Error{Code::kInvalidArgument, "json: unsupported value: " + std::string(text)};
    return Json(word.meaning == 1);
  }
  const char first = text.front();
  const bool numeric = IsDigit(first) || first == '-' || first == '+' || first == '.';
  if (!numeric || LooksLikeDate(text)) return Json(std::string(text));
  std::string plain;
  for (char c : text) {
    if (c != '_') plain += c;
  }
  if (first != '.') {
    if (std::optional<Json> integer = ParseInteger(plain)) return *std::move(integer);
  }
  if (std::optional<Json> decimal = ParseDecimal(first == '.' ? std::string(text) : plain))
    return *std::move(decimal);
  return Json(std::string(text));
}

}  // namespace updraft::api

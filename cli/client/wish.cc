#include "cli/client/wish.h"

#include <algorithm>

#include "core/api/conditions.h"
#include "core/api/meta.h"

namespace updraft::cli {
namespace {

bool SameText(const std::string& a, const std::string& b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool IsOutdated(const Json& object) {
  const int64_t observed = api::ObservedGenerationOf(object);
  return observed != 0 && observed < api::GenerationOf(object);
}

}  // namespace

Result<Wish> ParseWish(const std::string& text) {
  constexpr std::string_view kCondition = "condition=";
  if (text == "delete") return Wish{.deleted = true};
  if (!text.starts_with(kCondition) || text.size() == kCondition.size()) {
    return Error{Code::kInvalidArgument,
                 "--for=" + text + ": use condition=TYPE, condition=TYPE=STATUS or delete"};
  }
  const std::string rest = text.substr(kCondition.size());
  const size_t separator = rest.find('=');
  if (separator == std::string::npos) return Wish{.condition = rest};
  return Wish{.condition = rest.substr(0, separator), .status = rest.substr(separator + 1)};
}

bool Fulfils(const Json& object, const Wish& wish) {
  const std::optional<api::Condition> condition = api::ConditionOf(object, wish.condition);
  return condition && SameText(condition->status, wish.status) && !IsOutdated(object);
}

std::string WhyNot(const Json& object, const Wish& wish) {
  if (wish.deleted) return "";
  const std::optional<api::Condition> condition = api::ConditionOf(object, wish.condition);
  if (!condition) return "has no condition " + wish.condition;
  std::string why = wish.condition + " is " + condition->status;
  if (!condition->reason.empty()) why += ": " + condition->reason;
  if (!condition->message.empty()) why += ": " + condition->message;
  return why;
}

}  // namespace updraft::cli

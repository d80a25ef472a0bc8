#include "core/store/validate.h"

#include <set>
#include <string>
#include <string_view>

namespace updraft::store {

Status Validate(const Transaction& transaction) {
  if (transaction.operations.size() > kOperationsMax ||
      transaction.conditions.size() > kOperationsMax) {
    return Error{Code::kInvalidArgument,
                 "more than " + std::to_string(kOperationsMax) + " operations in a transaction"};
  }
  std::set<std::string_view> keys;
  for (const Operation& operation : transaction.operations) {
    if (operation.key.empty()) return Error{Code::kInvalidArgument, "empty key"};
    if (operation.value.size() > kValueBytesMax) {
      return Error{Code::kInvalidArgument, "value of " + std::to_string(operation.value.size()) +
                                               " bytes, limit is " +
                                               std::to_string(kValueBytesMax)};
    }
    if (!keys.insert(operation.key).second) {
      return Error{Code::kInvalidArgument, "key twice in a transaction: " + operation.key};
    }
  }
  return Ok();
}

}  // namespace updraft::store

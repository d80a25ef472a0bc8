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
  size_t bytes = 0;
  for (const Operation& operation : transaction.operations) {
    if (operation.key.empty()) return Error{Code::kInvalidArgument, "empty key"};
    bytes += operation.key.size() + operation.value.size();
    if (!keys.insert(operation.key).second) {
      return Error{Code::kInvalidArgument, "key twice in a transaction: " + operation.key};
    }
  }
  if (bytes > kTransactionBytesMax) {
    return Error{Code::kInvalidArgument, "transaction of " + std::to_string(bytes) +
                                             " bytes, limit is " +
                                             std::to_string(kTransactionBytesMax)};
  }
  return Ok();
}

}  // namespace updraft::store

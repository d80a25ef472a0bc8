// What is drawn of a replay. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/replay/account.h"
#include "cli/replay/decisions.h"

namespace updraft::cli {

struct NamedSum {
  std::string name = {};
  AccountSum sum = {};
};

std::string DrawDecisions(const std::vector<DecisionPoint>& points);
std::string DrawRequests(const std::string& manifest, const std::vector<AccountRow>& rows);
std::string DrawComparison(const std::vector<NamedSum>& sums);

}  // namespace updraft::cli

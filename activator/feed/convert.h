// Between the contracts of proto/ and what the core speaks. Pure.
#pragma once

#include <string>
#include <vector>

#include "activator/feed/load_ledger.h"
#include "activator/routing/update.h"
#include "updraft/v1/routing.pb.h"
#include "updraft/v1/scaling.pb.h"

namespace updraft::activator {

RoutingUpdate FromProto(const v1::RoutingUpdate& update);

struct Reporter {
  std::string activator_id = {};
  int64_t epoch = 0;
};
v1::LoadReport ToProto(const Reporter& reporter, const std::vector<LoadLine>& lines);

}  // namespace updraft::activator

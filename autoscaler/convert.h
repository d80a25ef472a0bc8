// Between the messages of scaling.proto and the values that decisions are made of. Pure.
#pragma once

#include <vector>

#include "autoscaler/kpa/fleet.h"
#include "updraft/v1/scaling.pb.h"

namespace updraft::autoscaler {

Target FromProto(const v1::ScaleTarget& target);
std::vector<LoadLine> FromProto(const v1::LoadReport& report);
v1::Decision ToProto(const RevisionDecision& decision, WallTime decided);

}  // namespace updraft::autoscaler

// The contracts' streams as wires.
#pragma once

#include "tests/sim/wire.h"
#include "updraft/v1/node.pb.h"
#include "updraft/v1/routing.pb.h"
#include "updraft/v1/scaling.pb.h"

namespace updraft::sim {

using NodeWire = Wire<v1::NodeMessage, v1::ControllerMessage>;
using RoutingWire = Wire<v1::ActivatorMessage, v1::RoutingUpdate>;
using DecisionWire = Wire<v1::AutoscalerMessage, v1::ScaleTargets>;
using LoadWire = Wire<v1::LoadReport, v1::LoadAck>;

using NodeServerEnd = ServerEnd<v1::NodeMessage, v1::ControllerMessage>;
using RoutingServerEnd = ServerEnd<v1::ActivatorMessage, v1::RoutingUpdate>;
using DecisionServerEnd = ServerEnd<v1::AutoscalerMessage, v1::ScaleTargets>;
using LoadServerEnd = ServerEnd<v1::LoadReport, v1::LoadAck>;

}  // namespace updraft::sim

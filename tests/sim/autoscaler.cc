#include "tests/sim/autoscaler.h"

#include <utility>

#include "autoscaler/convert.h"

namespace updraft::sim {
namespace {

constexpr Nanos kTick = Seconds(2);

}  // namespace

SimAutoscaler::SimAutoscaler(Scheduler& time, const MachineClock& clock, DecisionWire& controller,
                             std::vector<LoadWire*> activators)
    : process_(time, clock),
      controller_(controller),
      activators_(std::move(activators)),
      fleet_(autoscaler::Defaults{}) {
  LoadServerEnd& loads = *this;
  for (LoadWire* wire : activators_) wire->ServerUp(loads);
  controller_.ClientUp(*this);
  process_.After(kTick, [this] { Tick(); });
}

SimAutoscaler::~SimAutoscaler() {
  LoadServerEnd& loads = *this;
  for (LoadWire* wire : activators_) wire->ServerDown(loads);
  controller_.ClientDown();
}

void SimAutoscaler::OnMessage(const v1::ScaleTargets& targets) {
  const TimePoint now = process_.Now();
  if (targets.full()) fleet_.BeginFull();
  for (const v1::ScaleTarget& target : targets.targets()) {
    fleet_.Put(target.revision(), autoscaler::FromProto(target), now);
  }
  for (const std::string& revision : targets.removed()) fleet_.Remove(revision);
  if (!targets.full()) return SendChanges();
  fleet_.EndFull();
  fleet_.TakeChanges();  // they are in All()
  Send(fleet_.All());
}

void SimAutoscaler::OnMessage(const Stream& stream, const v1::LoadReport& report) {
  const autoscaler::LoadStreams::Word word = streams_.Hear(stream->id(), report.activator_id());
  if (word == autoscaler::LoadStreams::Word::kLate) return;
  const bool first = word == autoscaler::LoadStreams::Word::kFirst;
  if (first) fleet_.ActivatorConnected(report.activator_id(), report.epoch());
  fleet_.Report(report.activator_id(), autoscaler::FromProto(report), first, process_.Now());
  SendChanges();
}

void SimAutoscaler::OnEnded(const Stream& stream) {
  if (const auto gone = streams_.End(stream->id())) fleet_.ActivatorGone(*gone);
}

void SimAutoscaler::Tick() {
  fleet_.Tick(process_.Now(), process_.clock().Wall());
  SendChanges();
  process_.After(kTick, [this] { Tick(); });
}

void SimAutoscaler::Send(const std::vector<autoscaler::RevisionDecision>& decisions) {
  if (decisions.empty() || !controller_.connected()) return;
  v1::AutoscalerMessage message;
  for (const autoscaler::RevisionDecision& decision : decisions) {
    *message.add_decisions() = autoscaler::ToProto(decision, process_.clock().Wall());
  }
  controller_.Send(std::move(message));
}

}  // namespace updraft::sim

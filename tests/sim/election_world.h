// Three candidates and the store that they meet in, under faults by seed: messages that are late,
// lost or answered late, candidates cut off, frozen (the process stands still, its clock does not)
// and killed, monotonic clocks that run five percent too fast or too slow. Each runs
// core/lease's Election; the store's two keys are two revisions.
//
// Checked at every event: no two may act. Checked at the store: no write of a leader is done in
// another's term. And when the faults stop, somebody leads within seconds.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/lease/election.h"
#include "tests/sim/chance.h"
#include "tests/sim/sabotage.h"
#include "tests/sim/scheduler.h"

namespace updraft::sim {

class ElectionWorld {
 public:
  explicit ElectionWorld(uint64_t seed, ElectionSabotage sabotage = ElectionSabotage::kNone);

  // Ten minutes of faults, then half a minute without. What did not hold, the first alone.
  std::vector<std::string> Live();

  uint64_t terms() const { return terms_; }      // how often the lead was taken
  uint64_t written() const { return written_; }  // leaders' writes that were done
  uint64_t refused() const { return refused_; }  // and those that came too late

 private:
  struct Member {
    std::optional<lease::Election> election = std::nullopt;
    uint64_t life = 0;  // of the process: answers to an earlier one reach nobody
    double rate = 1;    // of its clock
    Nanos up_before = {};
    TimePoint frozen_until = {};
    TimePoint cut_until = {};
    int64_t led = 0;  // as of its last turn: the term, if it led
  };
  using Request = std::function<std::function<void(Member&)>()>;  // at the store; gives what its answer does

  TimePoint Local(const Member& member) const;
  bool Acts(const Member& member) const;
  void Start(Member& member);
  void Turn(Member& member);
  void Act(Member& member);
  // Has `request` run at the store and its answer with the member, or `lost`, or neither: then
  // `lost` after a deadline.
  void Ask(Member& member, Request request, std::function<void(Member&)> lost);
  void Deliver(Member& member, uint64_t life, const std::function<void(Member&)>& answer);
  void Fault();
  void Check();

  Chance chance_;
  const ElectionSabotage sabotage_;
  Scheduler time_;
  std::array<Member, 3> members_;
  bool calm_ = false;
  std::string violation_;

  // The store.
  int64_t revision_ = 1;
  lease::TermSeen keys_ = {};
  uint64_t terms_ = 0;
  uint64_t written_ = 0;
  uint64_t refused_ = 0;
};

}  // namespace updraft::sim

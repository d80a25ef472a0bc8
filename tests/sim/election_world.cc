#include "tests/sim/election_world.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace updraft::sim {
namespace {

using lease::Election;
using lease::TermSeen;
using lease::Written;

constexpr lease::ElectionTimes kElectionTimes;
constexpr Nanos kElectionStorm = std::chrono::minutes(10);
constexpr Nanos kElectionCalm = Seconds(30);
constexpr Nanos kElectionDeadline = Seconds(3);  // of a call
constexpr Nanos kElectionTurn = Millis(100);

}  // namespace

ElectionWorld::ElectionWorld(uint64_t seed, ElectionSabotage sabotage) : chance_(seed), sabotage_(sabotage) {
  for (Member& member : members_) {
    member.rate = chance_.OneIn(2) ? 0.95 : 1.05;  // what is allowed at most finds most
    member.up_before = chance_.Between(Nanos(0), std::chrono::hours(100));
    Start(member);
    Turn(member);
  }
  Fault();
}

TimePoint ElectionWorld::Local(const Member& member) const {
  const auto passed = static_cast<double>(time_.now().time_since_epoch().count());
  return TimePoint(member.up_before + Nanos(static_cast<int64_t>(passed * member.rate)));
}

bool ElectionWorld::Acts(const Member& member) const {
  // Whoever asks only once a turn acts on when it stands still in between.
  if (sabotage_ == ElectionSabotage::kLeadNotAsked) return member.led != 0;
  return member.election->Leads(Local(member));
}

void ElectionWorld::Start(Member& member) {
  lease::ElectionTimes times = kElectionTimes;
  if (sabotage_ == ElectionSabotage::kNoMargin) times.margin = Nanos(0);
  // Waits half as long for others to be silent as they lead without a renewal.
  if (sabotage_ == ElectionSabotage::kHasty) {
    times.lease = (kElectionTimes.lease - kElectionTimes.margin) / 2;
    times.margin = times.lease - (kElectionTimes.lease - kElectionTimes.margin);
  }
  member.election.emplace(times);
  ++member.life;
  member.led = 0;
}

void ElectionWorld::Turn(Member& member) {
  time_.After(kElectionTurn, [this, &member] { Turn(member); });
  if (time_.now() < member.frozen_until) return;
  const TimePoint now = Local(member);
  const Election::Step step = member.election->Next(now);
  member.led = member.election->Leads(now) ? member.election->term() : 0;
  if (step == Election::Step::kLook) {
    Ask(
        member, [this] { return [this, keys = keys_](Member& me) { me.election->Looked(Local(me), keys); }; },
        [this](Member& me) { me.election->Looked(Local(me), std::nullopt); });
  } else if (step == Election::Step::kTake) {
    Ask(
        member,
        [this, seen = member.election->seen()] {
          const bool holds = keys_ == seen;
          if (holds) {
            ++revision_;
            ++terms_;
            keys_ = {.term = revision_, .renewal = revision_};
          }
          return [this, holds, term = revision_](Member& me) {
            me.election->Took(Local(me), holds ? Written::kDone : Written::kRefused, term);
          };
        },
        [this](Member& me) { me.election->Took(Local(me), Written::kUnknown, 0); });
  } else if (step == Election::Step::kRenew) {
    Ask(
        member,
        [this, term = member.election->term()] {
          const bool holds = keys_.term == term;
          if (holds) keys_.renewal = ++revision_;
          return [this, holds](Member& me) {
            me.election->Renewed(Local(me), holds ? Written::kDone : Written::kRefused);
          };
        },
        [this](Member& me) { me.election->Renewed(Local(me), Written::kUnknown); });
  }
  if (Acts(member)) Act(member);
}

void ElectionWorld::Act(Member& member) {
  Ask(
      member,
      [this, term = member.election->term()] {
        const bool fenced = sabotage_ != ElectionSabotage::kNotFenced;
        const bool holds = keys_.term == term;
        if (holds || !fenced) ++written_;
        if (!holds && fenced) ++refused_;
        if (!holds && !fenced && violation_.empty()) violation_ = "a leader's write is done in another's term";
        return [](Member&) {};
      },
      [](Member&) {});
}

void ElectionWorld::Ask(Member& member, Request request, std::function<void(Member&)> lost) {
  const uint64_t life = member.life;
  // Answered by the store or by the deadline, whichever is first.
  const auto answered = std::make_shared<bool>(false);
  time_.After(kElectionDeadline, [this, &member, life, answered, lost = std::move(lost)] {
    if (!std::exchange(*answered, true)) Deliver(member, life, lost);
  });
  const bool cut = time_.now() < member.cut_until;
  if (cut || (!calm_ && chance_.Percent(3))) return;  // never arrives
  // What is late may arrive long after the deadline.
  const Nanos slowest = !calm_ && chance_.Percent(3) ? Nanos(Seconds(15)) : Nanos(Millis(200));
  time_.After(chance_.Between(Millis(1), slowest), [this, &member, life, answered, request = std::move(request)] {
    auto answer = request();
    if (time_.now() < member.cut_until || (!calm_ && chance_.Percent(3))) return;
    time_.After(chance_.Between(Millis(1), Millis(200)), [this, &member, life, answered, answer = std::move(answer)] {
      if (!std::exchange(*answered, true)) Deliver(member, life, answer);
    });
  });
}

void ElectionWorld::Deliver(Member& member, uint64_t life, const std::function<void(Member&)>& answer) {
  if (member.life != life) return;
  if (time_.now() >= member.frozen_until) return answer(member);
  time_.At(member.frozen_until, [this, &member, life, answer] { Deliver(member, life, answer); });
}

void ElectionWorld::Fault() {
  time_.After(chance_.Between(Seconds(1), Seconds(15)), [this] {
    if (calm_) return;
    // Whoever leads is hit more often than the others.
    Member* hit = &members_[chance_.Below(members_.size())];
    for (Member& member : members_) {
      if (Acts(member) && chance_.OneIn(2)) hit = &member;
    }
    const Nanos length = chance_.Between(Millis(500), Seconds(20));
    switch (chance_.Below(4)) {
      case 0:
        Start(*hit);
        break;
      case 1:
        hit->frozen_until = time_.now() + length;
        break;
      case 2:
        hit->cut_until = time_.now() + length;
        break;
      default:
        hit->election->Resign(Local(*hit));  // the store is not told: only its lease ends it
        time_.After(length, [this, hit, life = hit->life] {
          if (hit->life == life) Start(*hit);
        });
    }
    Fault();
  });
}

void ElectionWorld::Check() {
  const auto acting = std::ranges::count_if(members_, [this](const Member& member) { return Acts(member); });
  if (acting > 1 && violation_.empty()) violation_ = "two leaders act";
}

std::vector<std::string> ElectionWorld::Live() {
  const TimePoint storm_ends = time_.now() + kElectionStorm;
  while (violation_.empty() && time_.RunOne(storm_ends)) Check();
  calm_ = true;
  for (Member& member : members_) {
    member.frozen_until = member.cut_until = time_.now();
    Start(member);
  }
  const TimePoint end = time_.now() + kElectionCalm;
  while (violation_.empty() && time_.RunOne(end)) Check();
  const bool led = std::ranges::any_of(members_, [this](const Member& member) { return Acts(member); });
  if (violation_.empty() && !led) violation_ = "nobody leads half a minute after the faults";
  return violation_.empty() ? std::vector<std::string>{} : std::vector<std::string>{violation_};
}

}  // namespace updraft::sim

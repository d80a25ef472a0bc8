// Who of several processes leads, as one of them sees it: when it asks the store what, and until
// when it may act. Pure.
//
// The store has two keys: the term, put when somebody takes the lead, and the renewal, put with it
// and again while the leader is alive. Nobody compares clocks. A candidate that saw neither key
// change for a whole lease, by its own monotonic clock, takes the lead, on condition that they
// still have not changed. The leader counts its lease from when it sent the last renewal that
// succeeded, which was before anybody can have seen it, and stops a margin earlier: two never act
// at a time as long as clocks run equally fast to within margin / lease. What is still on its way
// to the store when the lead is lost is refused there, by a condition on the term (see
// Candidate::Fence).
//
// A lead that is lost is not resumed: it takes a new term to act again. One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/clock.h"

namespace updraft::lease {

struct ElectionTimes {
  Nanos lease = Seconds(6);   // how long a leader must be silent before another takes over
  Nanos margin = Seconds(1);  // how much earlier it stops; less than lease - renew
  Nanos renew = Seconds(2);   // between renewals
  Nanos look = Seconds(1);    // between looks of those who follow, and between attempts that failed
};

// The two keys' mod_revisions; 0: the key does not exist.
struct TermSeen {
  int64_t term = 0;
  int64_t renewal = 0;

  bool operator==(const TermSeen&) const = default;
};

// What became of a conditional write.
enum class Written {
  kDone,
  kRefused,  // the conditions did not hold
  kUnknown,  // no answer: it may have happened, or happen yet
};

class Election {
 public:
  enum class Step {
    kNone,   // nothing is due, or an answer is awaited
    kLook,   // read both keys; then Looked()
    kTake,   // put both keys if they are as in seen(); then Took()
    kRenew,  // put the renewal if the term's mod_revision is term(); then Renewed()
  };

  explicit Election(ElectionTimes times) : times_(times) {}

  // What is to be asked of the store now. Until it is answered nothing else is.
  Step Next(TimePoint now);
  // The answers, each with the time at which it came. No value: no answer.
  // `gone`: whoever has the term that was seen is certain to act no more.
  void Looked(TimePoint now, std::optional<TermSeen> seen, bool gone = false);
  void Took(TimePoint now, Written written, int64_t term);
  void Renewed(TimePoint now, Written written);

  // Leads no more and never again. Gives the term that is to be removed from the store, 0 if there
  // is none. The caller has stopped acting.
  int64_t Resign(TimePoint now);

  // May it act? To be asked at each act: it turns false with time alone.
  bool Leads(TimePoint now) const { return term_ != 0 && now < until_; }
  // When that is, without a further renewal. REQUIRES: it leads.
  TimePoint until() const { return until_; }
  // The term that it leads in, or led in last and has not given up yet; 0: none.
  int64_t term() const { return term_; }
  const TermSeen& seen() const { return seen_; }

 private:
  void Lose(TimePoint now);

  const ElectionTimes times_;
  Step asked_ = Step::kNone;
  TimePoint sent_ = {};  // the step that is awaited
  TimePoint next_ = {};  // no step before
  bool resigned_ = false;

  // Following: what the store had, and since when at least.
  TermSeen seen_ = {};
  std::optional<TimePoint> since_ = std::nullopt;
  bool vacant_ = false;  // to be taken

  // Leading.
  int64_t term_ = 0;
  TimePoint until_ = {};
};

}  // namespace updraft::lease

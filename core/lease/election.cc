#include "core/lease/election.h"

namespace updraft::lease {

Election::Step Election::Next(TimePoint now) {
  if (term_ != 0 && now >= until_) Lose(now);
  if (resigned_ || asked_ != Step::kNone || now < next_) return Step::kNone;
  asked_ = term_ != 0 ? Step::kRenew : vacant_ ? Step::kTake : Step::kLook;
  sent_ = now;
  return asked_;
}

void Election::Looked(TimePoint now, std::optional<TermSeen> seen, bool gone) {
  asked_ = Step::kNone;
  next_ = now + times_.look;
  if (!seen) return;  // what was seen before may still be so: the silence goes on
  if (!since_ || *seen != seen_) {
    seen_ = *seen;
    since_ = now;
  }
  // A term that was resigned leaves no key: there is nobody to wait for.
  vacant_ = seen_.term == 0 || gone || now - *since_ >= times_.lease;
  if (vacant_) next_ = now;
}

void Election::Took(TimePoint now, Written written, int64_t term) {
  asked_ = Step::kNone;
  vacant_ = false;
  next_ = now + times_.look;
  // Resigned meanwhile, or so late that nothing of the lease is left: others see a new term, and
  // wait for it to be silent.
  const TimePoint until = sent_ + times_.lease - times_.margin;
  if (written != Written::kDone || resigned_ || now >= until) return;
  term_ = term;
  until_ = until;
  next_ = sent_ + times_.renew;
}

void Election::Renewed(TimePoint now, Written written) {
  asked_ = Step::kNone;
  if (term_ == 0) return;  // lost meanwhile: an answer that comes late does not bring it back
  if (written == Written::kRefused || now >= until_) return Lose(now);
  if (written == Written::kUnknown) {
    next_ = now + times_.look;
    return;
  }
  until_ = sent_ + times_.lease - times_.margin;
  next_ = sent_ + times_.renew;
}

int64_t Election::Resign(TimePoint now) {
  const int64_t term = term_;
  Lose(now);
  resigned_ = true;
  return term;
}

void Election::Lose(TimePoint now) {
  term_ = 0;
  vacant_ = false;
  since_.reset();  // whoever leads now is given a whole lease
  next_ = now;
}

}  // namespace updraft::lease

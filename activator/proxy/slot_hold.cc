#include "activator/proxy/slot_hold.h"

#include <utility>

namespace updraft::activator {

SlotHold::~SlotHold() {
  dispatcher_.Cancel(*this, loop_.Now());
  Release();
}

void SlotHold::Acquire(Revision& revision, Dispatcher::Attempt attempt) {
  const Admission admission = dispatcher_.Acquire(revision, *this, loop_.Now(), attempt);
  pending_ = admission == Admission::kWaiting;
  if (admission == Admission::kGranted) slot_ = Waiter::slot();
}

void SlotHold::GiveUp() {
  if (!pending_) return;
  pending_ = false;
  dispatcher_.Cancel(*this, loop_.Now());
  loop_.Defer(this);
}

void SlotHold::Release() {
  if (held()) dispatcher_.Release(slot_, loop_.Now());
}

void SlotHold::OnSettled() {
  pending_ = false;
  slot_ = Waiter::slot();
  Run();
}

void SlotHold::Run() {
  if (waiting_) std::exchange(waiting_, {}).resume();
}

}  // namespace updraft::activator

// Lists through their own members: no memory, O(1) removal from anywhere. Pure.
#pragma once

namespace updraft {

// A member of a ring, by inheritance; alone it points at itself. The list's head is one, too.
// Leaves its ring when it is destroyed.
struct RingLink {
  RingLink() = default;
  ~RingLink() { Unlink(); }
  RingLink(const RingLink&) = delete;
  RingLink& operator=(const RingLink&) = delete;

  bool linked() const { return next != this; }

  void Unlink() {
    previous->next = next;
    next->previous = previous;
    next = this;
    previous = this;
  }
  // At the end of the list whose head is `head`. REQUIRES: !linked().
  void AppendTo(RingLink& head) {
    previous = head.previous;
    next = &head;
    head.previous->next = this;
    head.previous = this;
  }
  // At its start. REQUIRES: !linked().
  void PrependTo(RingLink& head) { AppendTo(*head.next); }
  // Moves all that follows `head` behind this one. REQUIRES: !linked().
  void TakeAll(RingLink& head) {
    if (!head.linked()) return;
    AppendTo(head);
    head.Unlink();
  }

  RingLink* next = this;
  RingLink* previous = this;
};

}  // namespace updraft

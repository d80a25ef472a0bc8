// Ways to break the platform on purpose, to see that the simulation notices. Each is done at a seam
// of the simulation: the product's code knows nothing of them.
#pragma once

#include <string_view>
#include <vector>

namespace updraft::sim {

enum class Sabotage {
  kNone,
  kSlotFreedEarly,   // an activator gives a slot back while its request is still inside
  kReadyTooEarly,    // a started instance is taken for a ready one: its endpoint is published
  kAdoptionForgets,  // an agent that comes back overlooks a container
  kFullStateMerged,  // an activator adds a full state to what it had, instead of replacing it
  kDrainNotAwaited,  // scaling down takes instances with requests inside
  kDeadlineIgnored,  // requests are held for ever
  kMaxScalePlusOne,  // the greatest count is one too many
  kWriteLost,        // a write is acknowledged before it is kept
  kWakeLost,         // a worker is never told of slots that another one freed
  kReturnedSlotKept,  // an activator says it gave back a slot that it goes on using
  kLostSlotsFree,    // what an activator holds that is lost is given to others at once
  kLeadNotAsked,     // a controller acts on after its lease has run out
  kWritesNotFenced,  // a write that is late is done in another leader's term
};

struct SabotageName {
  Sabotage sabotage;
  std::string_view name;
};
inline constexpr SabotageName kSabotages[] = {
    {Sabotage::kSlotFreedEarly, "SlotFreedEarly"},
    {Sabotage::kReadyTooEarly, "ReadyTooEarly"},
    {Sabotage::kAdoptionForgets, "AdoptionForgets"},
    {Sabotage::kFullStateMerged, "FullStateMerged"},
    {Sabotage::kDrainNotAwaited, "DrainNotAwaited"},
    {Sabotage::kDeadlineIgnored, "DeadlineIgnored"},
    {Sabotage::kMaxScalePlusOne, "MaxScalePlusOne"},
    {Sabotage::kWriteLost, "WriteLost"},
    {Sabotage::kWakeLost, "WakeLost"},
    {Sabotage::kReturnedSlotKept, "ReturnedSlotKept"},
    {Sabotage::kLostSlotsFree, "LostSlotsFree"},
    {Sabotage::kLeadNotAsked, "LeadNotAsked"},
    {Sabotage::kWritesNotFenced, "WritesNotFenced"},
};

// The same for the election alone.
enum class ElectionSabotage {
  kNone,
  kLeadNotAsked,  // whether it leads is asked once a turn, not at each act
  kNoMargin,      // a leader acts until the very end of its lease, by a clock that may be slow
  kHasty,         // others are taken for silent before their lease has run out
  kNotFenced,     // a write that is late is done in whoever's term it is
};

struct ElectionSabotageName {
  ElectionSabotage sabotage;
  std::string_view name;
};
inline constexpr ElectionSabotageName kElectionSabotages[] = {
    {ElectionSabotage::kLeadNotAsked, "LeadNotAsked"},
    {ElectionSabotage::kNoMargin, "NoMargin"},
    {ElectionSabotage::kHasty, "Hasty"},
    {ElectionSabotage::kNotFenced, "NotFenced"},
};

}  // namespace updraft::sim

#include "controller/feeds/slot_shares.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace updraft::controller {
namespace {

// Gives `left` of them, those that come first in `order`, one more each.
void GiveOneMore(std::vector<uint64_t>& shares, const std::vector<size_t>& order, uint64_t left) {
  for (size_t i = 0; i < order.size() && i < left; ++i) ++shares[order[i]];
}

// Everybody's part of `slots`, nobody more than wanted. Returns what is left when all have what they want.
uint64_t Fill(uint64_t slots, const std::vector<SlotClaim>& claims, TimePoint now,
              std::vector<uint64_t>& shares) {
  std::vector<size_t> open(claims.size());  // those who want more than they have been given
  std::iota(open.begin(), open.end(), 0);
  std::erase_if(open, [&](size_t i) { return claims[i].wanted == 0; });
  while (!open.empty() && slots >= open.size()) {
    uint64_t step = slots / open.size();
    for (const size_t i : open) step = std::min(step, claims[i].wanted - shares[i]);
    for (const size_t i : open) shares[i] += step;
    slots -= step * open.size();
    std::erase_if(open, [&](size_t i) { return shares[i] == claims[i].wanted; });
  }
  if (open.empty()) return slots;
  const bool turns = std::ranges::any_of(open, [&](size_t i) { return shares[i] == 0; });
  std::ranges::sort(open, {}, [&](size_t i) {
    const SlotClaim& claim = claims[i];
    const bool kept = claim.held > 0 && now < claim.granted_at + kGrantProtected;
    if (turns) return std::tuple(!kept, claim.granted_at.time_since_epoch().count(), i);
    return std::tuple(false, -static_cast<int64_t>(claim.held), i);
  });
  GiveOneMore(shares, open, slots);
  return 0;
}

}  // namespace

std::vector<uint64_t> SharesOf(uint64_t slots, const std::vector<SlotClaim>& claims, TimePoint now) {
  std::vector<uint64_t> shares(claims.size(), 0);
  if (claims.empty()) return shares;
  const uint64_t left = Fill(slots, claims, now, shares);
  for (uint64_t& share : shares) share += left / claims.size();
  std::vector<size_t> order(claims.size());
  std::iota(order.begin(), order.end(), 0);
  // Whoever would have to give most up keeps it.
  std::ranges::sort(order, {}, [&](size_t i) {
    return std::pair(static_cast<int64_t>(shares[i]) - static_cast<int64_t>(claims[i].held), i);
  });
  GiveOneMore(shares, order, left % claims.size());
  return shares;
}

}  // namespace updraft::controller

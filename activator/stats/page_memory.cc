#include "activator/stats/page_memory.h"

#include <algorithm>
#include <utility>

namespace updraft::activator {
namespace {

constexpr Nanos kKept = Seconds(300);
// Text that is compressed for later pages: at some 2 ns a byte 0.4 % of a core, and 20 s for ten thousand revisions.
constexpr double kCompressedPerSecond = 2e6;
constexpr double kCreditMax = 8e6;
// Holes beside as many as there are revisions: with more, all are put in their places anew.
constexpr size_t kHolesMax = 64;

}  // namespace

std::shared_ptr<const void> PageMemory::Begin(const RevisionSource& revisions) {
  if (!user_.expired()) return nullptr;
  if (holes_.size() > places_of_.size() + kHolesMax) Clear();
  AddCredit();
  ++latest_;
  for (Group& group : groups_) group.restless = 0;
  std::vector<PagedRevision> new_ones;
  size_t next = 0;  // most come in the order of their places
  revisions([this, &new_ones, &next](const std::shared_ptr<const RevisionSettings>& settings, const Revision& revision) {
    if (!revision.met()) return;
    const std::optional<size_t> place = Find(revision, next);
    if (!place) {
      new_ones.push_back({settings, revision.shared_from_this()});
      return;
    }
    See(*place, settings, revision);
    next = *place + 1;
  });
  Sweep();
  for (const PagedRevision& one : new_ones) {
    const size_t place = NewPlace();
    places_of_[one.revision.get()] = place;
    places_[place] = {.key = one.revision.get(), .revision = one.revision};
    See(place, one.settings, *one.revision);
  }
  if (places_of_.empty()) Clear();
  const auto use = std::make_shared<char>();
  user_ = use;
  return use;
}

std::optional<size_t> PageMemory::Find(const Revision& revision, size_t likely) const {
  size_t place = likely;
  if (likely >= places_.size() || places_[likely].key != &revision) {
    const auto found = places_of_.find(&revision);
    if (found == places_of_.end()) return std::nullopt;
    place = found->second;
  }
  // If what was there has gone, another has its address.
  if (places_[place].revision.expired()) return std::nullopt;
  return place;
}

void PageMemory::AddCredit() {
  const TimePoint now = clock_.Now();
  if (begun_at_ != TimePoint()) {
    const double seconds = std::chrono::duration<double>(now - begun_at_).count();
    credit_ = static_cast<int64_t>(
        std::min(kCreditMax, static_cast<double>(credit_) + seconds * kCompressedPerSecond));
  }
  begun_at_ = now;
}

// As many requests ended as arrived, and none has a slot: what they changed was counted before they ended, so that what is
// read now, and at any time until more arrive, is the same. Text that is made within this page may have figures of requests
// that came after this look; then more will have arrived at the next, and the text goes.
void PageMemory::See(size_t place, const std::shared_ptr<const RevisionSettings>& settings, const Revision& revision) {
  const uint64_t ended = revision.ReadEnded();  // before the load
  const LoadReading load = revision.ReadLoad(clock_);
  const bool at_rest = ended == load.arrivals && load.waiting == 0 && load.running == 0;
  Place& seen = places_[place];
  if (!at_rest || !seen.at_rest || seen.requests != load.arrivals || seen.settings != settings) Change(place);
  if (!at_rest) ++groups_[place / kGroupRows].restless;
  seen.at_rest = at_rest;
  seen.requests = load.arrivals;
  seen.listed = latest_;
  if (seen.settings != settings) seen.settings = settings;
}

// Takes out what is no longer listed.
void PageMemory::Sweep() {
  holes_.clear();
  for (size_t i = places_.size(); i-- > 0;) {
    Place& place = places_[i];
    if (place.listed == latest_) continue;
    if (place.key != nullptr) {
      places_of_.erase(place.key);
      place = {};
      Change(i);
    }
    holes_.push_back(i);
  }
}

size_t PageMemory::NewPlace() {
  if (!holes_.empty()) {
    const size_t place = holes_.back();
    holes_.pop_back();
    return place;
  }
  places_.emplace_back();
  groups_.resize((places_.size() - 1) / kGroupRows + 1);
  return places_.size() - 1;
}

void PageMemory::Change(size_t place) {
  Group& group = groups_[place / kGroupRows];
  group.texts = {};
  group.changed = latest_;
}

PagedRevision PageMemory::At(size_t place) const {
  std::shared_ptr<const Revision> revision = places_[place].revision.lock();
  if (revision == nullptr) return {};
  return {places_[place].settings, std::move(revision)};
}

const metrics::CompressedText* PageMemory::Find(size_t group, size_t family) const {
  const auto& texts = groups_[group].texts;
  return family < texts.size() && texts[family] ? &*texts[family] : nullptr;
}

bool PageMemory::Wants(size_t group) const {
  return groups_[group].restless == 0 && groups_[group].changed != latest_ && credit_ > 0;
}

const metrics::CompressedText& PageMemory::Keep(size_t group, size_t family, std::string_view text) {
  if (compressor_ == nullptr) compressor_ = std::make_unique<metrics::Compressor>();
  credit_ -= static_cast<int64_t>(text.size());
  auto& texts = groups_[group].texts;
  if (texts.size() <= family) texts.resize(family + 1);
  return texts[family].emplace(compressor_->Compress(text));
}

void PageMemory::LetGoOfOld() {
  if (!places_.empty() && user_.expired() && clock_.Now() - begun_at_ > kKept) Clear();
}

void PageMemory::Clear() {
  credit_ = 0;
  places_ = {};
  holes_ = {};
  groups_ = {};
  places_of_ = {};
  compressor_.reset();
}

}  // namespace updraft::activator

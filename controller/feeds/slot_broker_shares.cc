// What SlotBroker decides: who gets what is free, who comes down, and what each is told of it.
#include <algorithm>
#include <queue>
#include <utility>

#include "controller/feeds/slot_broker.h"

namespace updraft::controller {

// ---- shares

bool SlotBroker::SomebodyUnknown(const Book& book, const Record& record, TimePoint now) const {
  return record.adopted && !missing_.empty() && now < started_ + kSlotLossPatience + book.timeout;
}

uint64_t SlotBroker::FreeIn(const Book& book, const Record& record, TimePoint now) const {
  if (!record.takes || SomebodyUnknown(book, record, now)) return 0;
  uint64_t held = 0;
  for (const auto& [number, holding] : record.held) held += holding.held();
  return record.limit > held ? record.limit - held : 0;
}

void SlotBroker::BalanceAll(TimePoint now) {
  for (auto& [key, book] : books_) Balance(key, book, now);
}

void SlotBroker::Balance(const RevisionKey& key, Book& book, TimePoint now) {
  std::vector<Number> who;
  std::vector<SlotClaim> claims;
  uint64_t slots = 0;
  for (const auto& [id, record] : book.records) slots += FreeIn(book, record, now);
  for (const auto& [number, process] : processes_) {
    if (process.session == 0 || process.ghost) continue;
    const Standing& standing = book.standings[number];
    uint64_t held = 0;
    for (const auto& [id, record] : book.records) {
      const auto of = record.held.find(number);
      if (record.takes && of != record.held.end()) held += of->second.held();
    }
    slots += held;
    who.push_back(number);
    // When none waits, what it wants is in use; that it had more once is old news.
    const uint64_t wanted = standing.waiting > 0 ? standing.wanted : std::min(standing.wanted, held);
    claims.push_back({.held = held, .wanted = wanted, .granted_at = standing.granted_at});
  }
  const std::vector<uint64_t> parts = SharesOf(slots, claims, now);
  std::map<Number, uint64_t> shares;
  for (size_t i = 0; i < who.size(); ++i) shares[who[i]] = parts[i];
  Grant(key, book, shares, now);
  Recall(key, book, shares, now);
}

// What is free, to those who have less than their share: of the instance that has most of it.
void SlotBroker::Grant(const RevisionKey& key, Book& book, const std::map<Number, uint64_t>& shares,
                       TimePoint now) {
  std::vector<Record*> records;
  std::priority_queue<std::pair<uint64_t, size_t>> free;  // slots, which of the records
  for (auto& [id, record] : book.records) {
    const uint64_t slots = FreeIn(book, record, now);
    if (slots > 0) free.emplace(slots, records.size());
    records.push_back(&record);
  }
  if (free.empty()) return;
  std::map<Number, uint64_t> lacks;
  for (const auto& [number, share] : shares) {
    uint64_t held = 0;
    for (const auto& [id, record] : book.records) {
      const auto of = record.held.find(number);
      if (record.takes && of != record.held.end()) held += of->second.held();
    }
    if (share > held) lacks[number] = share - held;
  }
  while (!free.empty() && !lacks.empty()) {
    const auto most = std::ranges::max_element(lacks, {}, [](const auto& entry) { return entry.second; });
    const auto [slots, which] = free.top();
    free.pop();
    ++records[which]->held[most->first].granted;
    book.standings[most->first].granted_at = now;
    Change(most->first, key);
    if (slots > 1) free.emplace(slots - 1, which);
    if (--most->second == 0) lacks.erase(most);
  }
}

// Only while somebody is short. What others want may be old news then: they are asked.
void SlotBroker::Recall(const RevisionKey& key, Book& book, const std::map<Number, uint64_t>& shares,
                        TimePoint now) {
  std::map<Number, uint64_t> held;
  for (const auto& [id, record] : book.records) {
    for (const auto& [number, holding] : record.held) {
      if (record.takes) held[number] += holding.held();
    }
  }
  const bool somebody_short = std::ranges::any_of(shares, [&](const auto& entry) {
    return book.standings[entry.first].waiting > 0 && entry.second > held[entry.first];
  });
  const bool somebody_waits = std::ranges::any_of(
      shares, [&](const auto& entry) { return book.standings[entry.first].waiting > 0; });
  for (const auto& [number, share] : shares) {
    Standing& standing = book.standings[number];
    std::optional<uint32_t> recalled;
    if (somebody_short && held[number] > share) recalled = static_cast<uint32_t>(share);
    if (recalled != standing.recalled) Change(number, key);
    standing.recalled = recalled;
    const bool matters = held[number] > 0 || standing.waiting > 0;
    if (!somebody_waits || !matters || standing.asked || now < standing.told_at + kDemandFresh) continue;
    standing.asked = true;
    processes_.at(number).asked.insert(key);
    processes_.at(number).news = true;
  }
}

// ---- what is to be told

void SlotBroker::Change(Number number, const RevisionKey& key) {
  const auto process = processes_.find(number);
  if (process == processes_.end() || process->second.session == 0) return;
  process->second.changed.insert(key);
  process->second.news = true;
}

bool SlotBroker::HasNews(Session session) const {
  const Process* process = At(session);
  return process != nullptr && process->news;
}

void SlotBroker::Tell(Session session, v1::RoutingUpdate& update) {
  const auto found = std::ranges::find_if(
      processes_, [session](const auto& entry) { return entry.second.session == session; });
  if (found == processes_.end()) {
    update.mutable_sharing();
    return;
  }
  Process& process = found->second;
  process.news = false;
  process.was_told = !process.whole;
  if (process.whole) return;
  v1::Sharing& sharing = *update.mutable_sharing();
  sharing.set_epoch(process.epoch);
  for (const RevisionKey& key : std::exchange(process.changed, {})) {
    const auto book = books_.find(key);
    if (book == books_.end()) continue;
    v1::RevisionSlots& slots = *sharing.add_revisions();
    slots.set_revision(key);
    const auto standing = book->second.standings.find(found->first);
    if (standing != book->second.standings.end() && standing->second.recalled) {
      slots.set_share(*standing->second.recalled);
    }
    for (auto& [id, record] : book->second.records) {
      const auto held = record.held.find(found->first);
      if (!record.listed || held == record.held.end() || held->second.told == held->second.granted) continue;
      held->second.told = held->second.granted;
      v1::GrantedSlots& granted = *slots.add_granted();
      granted.set_instance_id(id);
      granted.set_granted(held->second.granted);
    }
  }
  for (const RevisionKey& key : std::exchange(process.asked, {})) sharing.add_demand_of(key);
  for (const InstanceId& id : std::exchange(process.forgotten, {})) {
    if (!revision_of_.contains(id)) sharing.add_forgotten(id);
  }
}

std::vector<std::string> SlotBroker::TakeForgotten() {
  std::vector<std::string> forgotten(forgotten_.begin(), forgotten_.end());
  forgotten_.clear();
  return forgotten;
}

uint64_t SlotBroker::HeldBy(const std::string& activator_id, const InstanceId& instance) const {
  const auto key = revision_of_.find(instance);
  if (key == revision_of_.end()) return 0;
  const Record& record = books_.at(key->second).records.at(instance);
  for (const auto& [number, process] : processes_) {
    if (process.id != activator_id || process.ghost) continue;
    if (process.whole) return record.limit;
    const auto held = record.held.find(number);
    return held == record.held.end() ? 0 : held->second.held();
  }
  return 0;
}

}  // namespace updraft::controller

#include "core/store/write_order.h"

#include <utility>

namespace updraft::store {

WriteOrder::Ticket WriteOrder::Add(const std::set<std::string>& written,
                                   const std::set<std::string>& looked_at) {
  const Ticket ticket = ++last_;
  Write& write = queued_[ticket];
  for (const std::string& key : written) Join(key, true, ticket, write);
  for (const std::string& key : looked_at)
    if (!written.contains(key)) Join(key, false, ticket, write);
  if (write.behind == 0) ready_.insert(ticket);
  return ticket;
}

void WriteOrder::Join(const std::string& key, bool writes, Ticket ticket, Write& write) {
  Line& line = lines_[key];
  const bool waits = writes ? !line.uses.empty() : line.writers > 0;
  line.uses[ticket] = {.writes = writes, .waits = waits};
  if (writes) ++line.writers;
  if (waits) ++write.behind;
  write.keys.insert(key);
}

std::vector<WriteOrder::Ticket> WriteOrder::TakeReady() {
  std::vector<Ticket> taken;
  while (!ready_.empty() && running_ < running_max_) {
    taken.push_back(*ready_.begin());
    ready_.erase(ready_.begin());
    ++running_;
  }
  return taken;
}

void WriteOrder::Done(Ticket ticket) {
  const auto done = queued_.extract(ticket);
  --running_;
  for (const std::string& key : done.mapped().keys) Leave(key, ticket);
}

void WriteOrder::Leave(const std::string& key, Ticket ticket) {
  const auto at = lines_.find(key);
  Line& line = at->second;
  const bool wrote = line.uses.extract(ticket).mapped().writes;
  if (wrote) --line.writers;
  if (line.uses.empty()) {
    lines_.erase(at);
    return;
  }
  auto& [first, use] = *line.uses.begin();
  if (use.writes) return LetGo(first, use);
  // Behind a writer all wait: those up to the next one no more.
  if (!wrote) return;
  for (auto& [next, looks] : line.uses) {
    if (looks.writes) break;
    LetGo(next, looks);
  }
}

void WriteOrder::LetGo(Ticket ticket, Use& use) {
  if (!std::exchange(use.waits, false)) return;
  if (--queued_.at(ticket).behind == 0) ready_.insert(ticket);
}

}  // namespace updraft::store

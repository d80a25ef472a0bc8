#include "core/store/write_order.h"

#include <utility>

namespace updraft::store {

WriteOrder::Ticket WriteOrder::Add(std::set<std::string> keys) {
  const Ticket ticket = ++last_;
  Write& write = queued_[ticket];
  write.keys = std::move(keys);
  for (const std::string& key : write.keys) {
    std::deque<Ticket>& users = users_[key];
    if (!users.empty()) ++write.behind;
    users.push_back(ticket);
  }
  if (write.behind == 0) ready_.insert(ticket);
  return ticket;
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
  for (const std::string& key : done.mapped().keys) {
    const auto users = users_.find(key);
    users->second.pop_front();
    if (users->second.empty()) {
      users_.erase(users);
      continue;
    }
    const Ticket next = users->second.front();
    if (--queued_.at(next).behind == 0) ready_.insert(next);
  }
}

}  // namespace updraft::store

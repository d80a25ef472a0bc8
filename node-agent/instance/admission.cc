#include "node-agent/instance/admission.h"

namespace updraft::node_agent {

Admission::Ticket Admission::Enter(const std::string& revision) {
  const Ticket ticket = next_ticket_++;
  std::deque<Ticket>& queue = waiting_[revision];
  if (queue.empty()) turns_.push_back(revision);
  queue.push_back(ticket);
  revision_of_.emplace(ticket, revision);
  return ticket;
}

std::optional<Admission::Ticket> Admission::Next() {
  if (running_.size() >= running_max_ || turns_.empty()) return std::nullopt;
  const std::string revision = turns_.front();
  turns_.pop_front();
  const auto queue = waiting_.find(revision);
  const Ticket ticket = queue->second.front();
  queue->second.pop_front();
  if (queue->second.empty()) {
    waiting_.erase(queue);
  } else {
    turns_.push_back(revision);
  }
  revision_of_.erase(ticket);
  running_.insert(ticket);
  return ticket;
}

void Admission::Leave(Ticket ticket) {
  if (running_.erase(ticket) > 0) return;
  const auto revision = revision_of_.find(ticket);
  if (revision == revision_of_.end()) return;
  const auto queue = waiting_.find(revision->second);
  std::erase(queue->second, ticket);
  if (queue->second.empty()) {
    turns_.remove(revision->second);
    waiting_.erase(queue);
  }
  revision_of_.erase(revision);
}

}  // namespace updraft::node_agent

// Which container is created next when more want to be than the machine does well at once: first come, first
// served within a revision, round robin among revisions, so that a burst of one does not hold up the others.
// Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace updraft::node_agent {

class Admission {
 public:
  using Ticket = uint64_t;

  explicit Admission(size_t running_max) : running_max_(running_max) {}

  Ticket Enter(const std::string& revision);

  // The next one that may go, if there is room. Call it again until it has none.
  std::optional<Ticket> Next();

  // A ticket that was let go is done with, or one that waits gives up. No effect on an unknown one.
  void Leave(Ticket ticket);

  size_t running() const { return running_.size(); }
  size_t waiting() const { return revision_of_.size(); }

 private:
  const size_t running_max_;
  Ticket next_ticket_ = 1;
  std::list<std::string> turns_;  // revisions with waiting tickets, whose turn is next first
  std::map<std::string, std::deque<Ticket>> waiting_;
  std::map<Ticket, std::string> revision_of_;  // of those that wait
  std::set<Ticket> running_;
};

}  // namespace updraft::node_agent

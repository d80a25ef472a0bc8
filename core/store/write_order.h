// Which of many queued transactions may be sent at once: those that share no key with an earlier
// one that is not done, but for keys that both only look at (a condition). Pure.
//
// A ticket is a transaction's place in the queue; it counts from 1. Costs are logarithmic in what
// is queued, whatever the keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace updraft::store {

class WriteOrder {
 public:
  using Ticket = uint64_t;

  explicit WriteOrder(size_t running_max) : running_max_(running_max) {}

  // `looked_at`: keys that it does not write. Those in both are written.
  Ticket Add(const std::set<std::string>& written, const std::set<std::string>& looked_at = {});

  // What is to be sent now, in order. Each is given once.
  std::vector<Ticket> TakeReady();

  // The transaction has been answered, one way or the other.
  void Done(Ticket ticket);

  size_t queued() const { return queued_.size(); }
  Ticket last() const { return last_; }
  // All up to `ticket` are done.
  bool AllDoneUpTo(Ticket ticket) const {
    return queued_.empty() || queued_.begin()->first > ticket;
  }

 private:
  struct Write {
    std::set<std::string> keys = {};
    size_t behind = 0;  // of its keys, those for which it waits
  };
  struct Use {
    bool writes = false;
    bool waits = false;
  };
  // Of one key, by age. Nobody who waits is before one who does not.
  struct Line {
    std::map<Ticket, Use> uses = {};
    size_t writers = 0;
  };

  void Join(const std::string& key, bool writes, Ticket ticket, Write& write);
  void Leave(const std::string& key, Ticket ticket);
  void LetGo(Ticket ticket, Use& use);

  const size_t running_max_;
  Ticket last_ = 0;
  size_t running_ = 0;
  std::map<Ticket, Write> queued_;
  std::map<std::string, Line> lines_;
  std::set<Ticket> ready_;
};

}  // namespace updraft::store

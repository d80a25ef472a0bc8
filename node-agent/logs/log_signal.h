// Tells who follows an instance's logs that there is more to read. Shared by the writers and
// readers of one instance.
#pragma once

#include <set>

namespace updraft::node_agent {

// Loop thread only.
class LogSignal {
 public:
  class Listener {
   public:
    // Must only take note: it may not read, nor add or remove listeners.
    virtual void OnLogChanged() = 0;

   protected:
    ~Listener() = default;
  };

  void Add(Listener* listener) { listeners_.insert(listener); }
  void Remove(Listener* listener) { listeners_.erase(listener); }
  bool followed() const { return !listeners_.empty(); }

  void Raise() const {
    for (Listener* listener : listeners_) listener->OnLogChanged();
  }

  // Nothing will be written any more.
  bool ended() const { return ended_; }
  void End() {
    ended_ = true;
    Raise();
  }
  // The instance was thought to be over and is not: it was adopted.
  void Reopen() { ended_ = false; }

 private:
  std::set<Listener*> listeners_;
  bool ended_ = false;
};

}  // namespace updraft::node_agent

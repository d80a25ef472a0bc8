// What each activator has been told of routes, revisions, endpoints and slots, what it has taken over, and
// which routes all of them have. Pure: sessions are the streams of activators, by number.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "controller/feeds/route_confirmations.h"
#include "controller/feeds/routing_feed.h"
#include "controller/feeds/slot_broker.h"
#include "controller/instances/fleet.h"
#include "updraft/v1/routing.pb.h"

namespace updraft::controller {

// Takes the routes that activators are to be told.
class RouteTaker {
 public:
  virtual void SetRoute(const v1::Route& route, const std::string& fingerprint) = 0;
  virtual void RemoveRoute(const std::string& key) = 0;
  // Takes a route that was set for programmed: its status says so, from before this process.
  virtual void AssumeProgrammed(const std::string& key) = 0;

 protected:
  ~RouteTaker() = default;
};

// Remembers, beyond this process, which lineages of activators there are (SlotBroker).
class ActivatorMemory {
 public:
  // Calls RoutingSessions::Remembered() when it is done.
  virtual void Remember(const std::string& lineage) = 0;
  virtual void Forget(const std::string& lineage) = 0;

 protected:
  ~ActivatorMemory() = default;
};

class RoutingSessions {
 public:
  using Session = uint64_t;

  // `known`: lineages that are remembered. Without a memory (null) none are. `memory` must outlive this.
  explicit RoutingSessions(TimePoint started, ActivatorMemory* memory = nullptr,
                           const std::set<std::string>& known = {})
      : memory_(memory), remembered_(known), broker_(started, known) {}

  // ---- what there is to be told

  void SetRoute(const v1::Route& route, const std::string& fingerprint);
  void RemoveRoute(const std::string& key);
  void AssumeProgrammed(const std::string& key) { confirmations_.Assume(key); }
  bool Programmed(std::string_view ns, std::string_view name, std::string_view fingerprint) const;
  void SetRequestLog(const v1::RequestLog& request_log) { feed_.SetRequestLog(request_log); }
  void SetRevisions(const Fleet& fleet, const FleetChanges& changes, TimePoint now);

  // ---- whom

  void Open(Session session) { activators_[session]; }
  // The activator has said who it is. REQUIRES: its id is not empty.
  void Hello(Session session, const v1::ActivatorHello& hello, TimePoint now);
  const ActivatorId& IdOf(Session session) const { return activators_.at(session).id; }
  // The id, when this was its last session.
  std::optional<ActivatorId> End(Session session, TimePoint now);

  // ---- slots: what activators say of them, and what they are to be told may have changed after each

  void Returned(Session session, const v1::SlotsReturned& returned, TimePoint now) {
    broker_.Returned(session, returned, now);
  }
  void Demand(Session session, const v1::SlotDemand& demand, TimePoint now) {
    broker_.Demand(session, demand, now);
  }
  // Wake() is due then.
  std::optional<TimePoint> wake_at() const { return broker_.wake_at(); }
  void Wake(TimePoint now);
  void Remembered(const std::string& lineage) { remembered_.insert(lineage); }

  // What the activator has to be told now; nullopt: nothing, or it has not said hello, or is not remembered
  // yet. REQUIRES:
  // what it was told before has left: while an update is on its way, further changes gather, and a
  // slow activator gets fewer, larger ones.
  std::optional<v1::RoutingUpdate> Take(Session session);
  // All that it was told has left. One that never answers updates takes them over then, as far as
  // can be known.
  void Flushed(Session session);
  // It routes by the update of that sequence, and all before it.
  void Applied(Session session, int64_t sequence);

  // The routes that all activators have taken over since it was last asked.
  std::vector<std::string> TakeProgrammed() { return confirmations_.TakeConfirmed(); }

  // That have said hello.
  size_t activator_count() const;

 private:
  struct Sent {
    int64_t sequence = 0;
    int64_t version = 0;  // of the routes
  };
  struct Activator {
    ActivatorId id;     // empty: has not said hello
    std::string lineage;
    bool acks = false;  // answers updates with RoutingApplied
    int64_t sequence = 0;
    std::deque<Sent> unconfirmed;
  };

  void Reach(Session session, int64_t sequence);
  void ForgetGone();

  ActivatorMemory* const memory_;
  std::set<std::string> remembered_;
  SlotBroker broker_;
  RoutingFeed feed_;
  RouteConfirmations confirmations_;
  std::map<Session, Activator> activators_;
};

}  // namespace updraft::controller

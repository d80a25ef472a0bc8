// Who may use how many slots of each instance, among several activators: the slots of an instance that all
// together hold are never more than its containerConcurrency. Pure; moments are passed in.
//
// With one activator there is nothing to share and nothing is said: it has everything. With several, each
// instance's slots are counted by activator (granted and given back, both as sums of an epoch, so that late
// and repeated messages do no harm). An activator with requests that wait says so; who has more than its
// share (SharesOf) is told to come down to it, and what comes back is granted to the one that is short.
//
// An activator whose stream has ended keeps what it holds here until it says hello again, another process
// takes its place, or both sides have waited long enough: it gives everything up kSlotLease
// (activator/feed/control_state.h) after it lost us, and we take it for given up kSlotLossPatience and the
// revision's timeout after we lost it.
//
// A restarted controller knows the lineages of activators that there were (KnownActivators). Of what it did
// not start itself, those that have not been heard of hold all that the others do not say they hold, for
// the same time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "controller/feeds/slot_shares.h"
#include "controller/instances/instance.h"
#include "core/base/clock.h"
#include "updraft/v1/routing.pb.h"

namespace updraft::controller {

// More than an activator's lease, and what its end may notice the loss later than ours: a silent peer takes
// half a minute to be noticed.
inline constexpr Nanos kSlotLossPatience = Seconds(90);

// What an activator wants is asked for again when it is older.
inline constexpr Nanos kDemandFresh = Millis(10);

class SlotBroker {
 public:
  using Session = uint64_t;  // of a stream; grows

  // `known`: lineages of activators that may hold slots of what there was before this process.
  SlotBroker(TimePoint started, const std::set<std::string>& known);

  // ---- instances

  struct InstanceFacts {
    InstanceId id;
    bool listed = false;   // activators are told of it
    bool takes = false;    // new requests
    bool adopted = false;  // there was one before this process
  };
  // Replaces what was said of the revision. `limit` 0: its slots are not counted.
  void SetRevision(const RevisionKey& key, uint32_t limit, Nanos timeout,
                   const std::vector<InstanceFacts>& instances, TimePoint now);

  // ---- activators

  void Hello(Session session, const v1::ActivatorHello& hello, TimePoint now);
  void End(Session session, TimePoint now);
  void Returned(Session session, const v1::SlotsReturned& returned, TimePoint now);
  void Demand(Session session, const v1::SlotDemand& demand, TimePoint now);

  // ---- time

  // What has to be looked at then, even if nothing happens.
  std::optional<TimePoint> wake_at() const { return wake_at_; }
  void Wake(TimePoint now);

  // ---- what is to be told

  bool HasNews(Session session) const;
  // Adds it to what the activator is told now. It counts as told.
  void Tell(Session session, v1::RoutingUpdate& update);

  // Lineages that hold nothing any more and are gone, since it was last asked.
  std::vector<std::string> TakeForgotten();

  // ---- for tests

  uint64_t HeldBy(const std::string& activator_id, const InstanceId& instance) const;

 private:
  using Number = uint64_t;  // of a process, in the order in which they were first heard of

  struct Holding {
    uint32_t granted = 0;
    uint32_t returned = 0;
    uint32_t told = 0;  // of `granted`
    uint32_t held() const { return granted - returned; }
  };
  struct Record {
    uint32_t limit = 0;
    bool listed = false;
    bool announced = false;  // activators were told of it, once
    bool takes = false;
    bool adopted = false;
    std::optional<TimePoint> gone;  // since when it is not there any more
    std::map<Number, Holding> held;
  };
  struct Standing {  // of an activator with a revision
    uint64_t wanted = 0;
    uint64_t waiting = 0;
    TimePoint told_at = {};
    bool asked = false;
    TimePoint granted_at = {};
    std::optional<uint32_t> recalled;  // the share that it is told to come down to
  };
  struct Book {  // of a revision
    uint32_t limit = 0;
    Nanos timeout = Nanos(0);
    std::map<InstanceId, Record> records;
    std::map<Number, Standing> standings;
  };
  struct Process {
    std::string id;
    int64_t started_ns = 0;
    std::string lineage;
    Session session = 0;  // 0: lost
    TimePoint lost_at = {};
    bool ghost = false;        // another took its place before it was heard
    bool whole = false;        // the only one: has everything, and nothing is counted
    bool knows_all = false;    // had everything before this controller: also of what is still to be adopted
    bool was_told = false;     // in this stream, that slots are shared
    int64_t epoch = 0;
    std::map<InstanceId, Holding> unplaced;  // of instances that are not known yet
    // What it is to be told.
    bool news = false;
    std::set<RevisionKey> changed;
    std::set<RevisionKey> asked;
    std::vector<InstanceId> forgotten;
  };
  using Processes = std::map<Number, Process>;

  Process* At(Session session);
  const Process* At(Session session) const;
  Processes::iterator ProcessOf(const v1::ActivatorHello& hello);
  void TakePlace(Number number, bool beside);
  void Remove(Number number);
  void CountAnew(Number number, const v1::ActivatorHello& hello, TimePoint now);
  void HoldAll(Number number, TimePoint now);
  void Place(const InstanceId& id, Record& record);
  void Note(const InstanceId& id, Record& record, const InstanceFacts& facts);
  void Leave(Book& book, const InstanceId& id, Record& record, TimePoint now);
  void SweepGone(TimePoint now);
  bool Erasable(const Book& book, const Record& record, TimePoint now) const;
  void EraseRecord(const RevisionKey& key, const InstanceId& id);

  bool sharing() const { return only_ == 0; }
  void Judge(TimePoint now);
  void BalanceAll(TimePoint now);
  void Balance(const RevisionKey& key, Book& book, TimePoint now);
  void Grant(const RevisionKey& key, Book& book, const std::map<Number, uint64_t>& shares, TimePoint now);
  void Recall(const RevisionKey& key, Book& book, const std::map<Number, uint64_t>& shares, TimePoint now);
  uint64_t FreeIn(const Book& book, const Record& record, TimePoint now) const;
  bool SomebodyUnknown(const Book& book, const Record& record, TimePoint now) const;
  void Change(Number number, const RevisionKey& key);
  TimePoint VoidAt(const Process& process, const Book& book) const {
    return process.lost_at + kSlotLossPatience + book.timeout;
  }

  const TimePoint started_;
  std::set<std::string> missing_;  // lineages that were, and have not been heard of
  Processes processes_;
  Number next_ = 1;
  Number only_ = 0;  // the only activator there is, connected; 0: none or several
  std::map<RevisionKey, Book> books_;
  std::unordered_map<InstanceId, RevisionKey> revision_of_;
  std::deque<std::pair<TimePoint, InstanceId>> gone_;
  std::set<std::string> forgotten_;
  std::optional<TimePoint> wake_at_;
};

}  // namespace updraft::controller

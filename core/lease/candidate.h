// An Election with its store: two keys, `key` (the term; its value is the leader's identity and the
// mark of its process, on a line each) and `key` + ".renewed".
//
// Only what every Store has is needed, so that the lead is kept, taken and fenced in etcd in the
// same way as in the stores that tests use. One thread, the store's loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/lease/election.h"
#include "core/store/store.h"

namespace updraft::lease {

struct CandidateOptions {
  std::string key = {};       // within the store's root
  std::string identity = {};  // who this is, for people; no line break
  // The mark of this process, and whether the process of a mark is certain to be no more: then
  // nobody waits for its lease (see process_mark.h). Empty: all leases are waited for.
  std::string mark = {};
  std::function<bool(std::string_view)> is_gone = {};
  ElectionTimes times = {};
};

class Candidate {
 public:
  // The store and the clock outlive it. Destroying it resigns nothing: the lease runs out.
  Candidate(CandidateOptions options, store::Store& store, const Clock& clock);

  // Asks the store what is due. To be called several times a second.
  void Tick();

  // May this process act? To be asked at each act: it turns false with time alone.
  bool Leads() const { return election_.Leads(clock_.Now()); }
  // A write with this condition happens only while the store has this process's term. REQUIRES:
  // Leads().
  store::Condition Fence() const { return {.key = options_.key, .mod_revision = election_.term()}; }
  // Who led when the store was last read; empty: nobody, or not known.
  const std::string& leader() const { return leader_; }
  // What became of the last look.
  const Status& heard() const { return heard_; }

  // Leads no more and never again; another may take over at once when `done` is told so. The caller
  // has stopped acting. kUnavailable: the lease must run out.
  void Resign(std::function<void(Status)> done);

 private:
  void Look();
  void Take();
  void Renew();
  // `done` is not called once this is gone.
  void Write(store::Transaction transaction, std::function<void(Written, int64_t revision)> done);

  const CandidateOptions options_;
  const std::string renewal_key_;
  store::Store& store_;
  const Clock& clock_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Election election_;
  std::string leader_;
  Status heard_ = Ok();
};

}  // namespace updraft::lease

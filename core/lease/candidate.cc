#include "core/lease/candidate.h"

#include <optional>
#include <utility>

namespace updraft::lease {

using store::Operation;
using store::Outcome;
using store::RangeResult;
using store::Transaction;

Candidate::Candidate(CandidateOptions options, store::Store& store, const Clock& clock)
    : options_(std::move(options)),
      renewal_key_(options_.key + ".renewed"),
      store_(store),
      clock_(clock),
      election_(options_.times) {}

void Candidate::Tick() {
  switch (election_.Next(clock_.Now())) {
    case Election::Step::kNone:
      return;
    case Election::Step::kLook:
      return Look();
    case Election::Step::kTake:
      return Take();
    case Election::Step::kRenew:
      return Renew();
  }
}

void Candidate::Look() {
  // Both keys in one read, so of one revision; what lies between them is not ours.
  const store::KeyRange keys{options_.key, renewal_key_ + '\0'};
  store_.Range({.keys = keys},
               [this, life = std::weak_ptr(alive_)](const Result<RangeResult>& result) {
                 if (life.expired()) return;
                 heard_ = result ? Ok() : Status(result.error());
                 if (!result) return election_.Looked(clock_.Now(), std::nullopt);
                 TermSeen seen;
                 bool gone = false;
                 leader_.clear();
                 for (const store::KeyValue& entry : result->entries) {
                   if (entry.key == renewal_key_) seen.renewal = entry.mod_revision;
                   if (entry.key != options_.key) continue;
                   seen.term = entry.mod_revision;
                   const size_t line = entry.value.find('\n');
                   leader_ = entry.value.substr(0, line);
                   gone = line != std::string::npos && options_.is_gone &&
                          options_.is_gone(std::string_view(entry.value).substr(line + 1));
                 }
                 election_.Looked(clock_.Now(), seen, gone);
               });
}

void Candidate::Take() {
  const TermSeen& seen = election_.seen();
  Transaction take;
  take.conditions = {{.key = options_.key, .mod_revision = seen.term},
                     {.key = renewal_key_, .mod_revision = seen.renewal}};
  take.operations = {{.key = options_.key, .value = options_.identity + "\n" + options_.mark},
                     {.key = renewal_key_, .value = {}}};
  Write(std::move(take), [this](Written written, int64_t revision) {
    election_.Took(clock_.Now(), written, revision);
    if (election_.term() != 0) leader_ = options_.identity;
  });
}

void Candidate::Renew() {
  Transaction renew;
  renew.conditions = {{.key = options_.key, .mod_revision = election_.term()}};
  renew.operations = {{.key = renewal_key_, .value = {}}};
  Write(std::move(renew),
        [this](Written written, int64_t) { election_.Renewed(clock_.Now(), written); });
}

void Candidate::Resign(std::function<void(Status)> done) {
  const int64_t term = election_.Resign(clock_.Now());
  if (term == 0) return done(Ok());
  Transaction leave;
  leave.conditions = {{.key = options_.key, .mod_revision = term}};
  leave.operations = {{.type = Operation::Type::kDelete, .key = options_.key},
                      {.type = Operation::Type::kDelete, .key = renewal_key_}};
  Write(std::move(leave), [done = std::move(done)](Written written, int64_t) {
    if (written != Written::kUnknown) return done(Ok());  // refused: another leads already
    done(Error{Code::kUnavailable,
               "the store does not answer: the lead ends when its lease runs out"});
  });
}

void Candidate::Write(Transaction transaction, std::function<void(Written, int64_t)> done) {
  store_.Commit(std::move(transaction), [life = std::weak_ptr(alive_),
                                         done = std::move(done)](const Result<Outcome>& outcome) {
    if (life.expired()) return;
    if (!outcome) return done(Written::kUnknown, 0);
    done(outcome->applied ? Written::kDone : Written::kRefused, outcome->revision);
  });
}

}  // namespace updraft::lease

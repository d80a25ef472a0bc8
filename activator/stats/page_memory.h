// What a page of metrics that is sent compressed takes over from the one before it: the text of revisions whose figures
// cannot have changed since, as it was compressed then. Revisions stand in groups, each in its place for as long as it is
// there, so that one that comes, goes or works costs no more than its own group. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "activator/queue/revision.h"
#include "core/base/clock.h"
#include "core/metrics/page_writer.h"

namespace updraft::activator {

struct PagedRevision {
  std::shared_ptr<const RevisionSettings> settings = {};
  std::shared_ptr<const Revision> revision = {};
};

// Calls what it is given with each revision that there is, once.
using SeeRevision = std::function<void(const std::shared_ptr<const RevisionSettings>&, const Revision&)>;
using RevisionSource = std::function<void(const SeeRevision&)>;

class PageMemory {
 public:
  static constexpr size_t kGroupRows = 16;  // some 50 kB of the longest family

  // `clock` must outlive it.
  explicit PageMemory(const Clock& clock) : clock_(clock) {}
  PageMemory(const PageMemory&) = delete;
  PageMemory& operator=(const PageMemory&) = delete;

  // A page begins: looks at all revisions that a worker has met. The page holds what this returns for as long as it is
  // written, and may then ask what follows; null: another does.
  std::shared_ptr<const void> Begin(const RevisionSource& revisions);

  size_t places() const { return places_.size(); }
  // Both null: a hole, or the revision has gone meanwhile.
  PagedRevision At(size_t place) const;
  // Of a group of so many places; null: the text is to be made.
  const metrics::CompressedText* Find(size_t group, size_t family) const;
  // That text is worth being kept: the group has not changed since the page before. How much is compressed has a bound.
  bool Wants(size_t group) const;
  const metrics::CompressedText& Keep(size_t group, size_t family, std::string_view text);

  // To be called now and then: lets everything go when no page was begun for minutes.
  void LetGoOfOld();

 private:
  struct Place {
    const Revision* key = nullptr;                // in places_of_; null: a hole
    std::weak_ptr<const Revision> revision = {};  // which goes when the routes let it go
    std::shared_ptr<const RevisionSettings> settings = {};
    bool at_rest = false;
    uint64_t requests = 0;
    uint64_t listed = 0;  // by the page with this number
  };
  struct Group {
    uint64_t changed = 0;   // in the page with this number
    size_t restless = 0;    // revisions with requests that are not over
    std::vector<std::optional<metrics::CompressedText>> texts = {};  // by family
  };

  void AddCredit();
  std::optional<size_t> Find(const Revision& revision, size_t likely) const;
  void See(size_t place, const std::shared_ptr<const RevisionSettings>& settings, const Revision& revision);
  void Sweep();
  size_t NewPlace();
  void Change(size_t place);
  void Clear();

  const Clock& clock_;
  std::weak_ptr<const void> user_;
  uint64_t latest_ = 0;
  TimePoint begun_at_ = {};
  int64_t credit_ = 0;  // bytes of text that may be compressed now
  std::vector<Place> places_;
  std::vector<size_t> holes_;  // the first at the end
  std::vector<Group> groups_;
  std::unordered_map<const Revision*, size_t> places_of_;
  std::unique_ptr<metrics::Compressor> compressor_;
};

}  // namespace updraft::activator

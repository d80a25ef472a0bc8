// The part of the metrics page with the series of each revision, written in pieces straight from what
// the workers count, in Prometheus' text format. One thread; stops no worker.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "activator/queue/revision.h"
#include "activator/stats/page_memory.h"
#include "core/base/clock.h"
#include "core/metrics/page_part.h"

namespace updraft::activator {

class RevisionPage final : public metrics::PagePart {
 public:
  using OfRevision = PagedRevision;

  // Revisions that never had a request have no series. `revisions` is asked once, as the page begins; `clock` must outlive the
  // page. `memory`, if there is one, is used when the page is compressed; several pages may share it.
  RevisionPage(const Clock& clock, RevisionSource revisions, std::shared_ptr<PageMemory> memory = {});
  RevisionPage(const Clock& clock, std::vector<OfRevision> revisions);
  bool Next(metrics::PageWriter& page) override;

 private:
  // Read once: the page's families tell of the same time.
  struct Figures {
    std::string labels;  // without braces
    LoadReading load;
    TrafficTotals traffic;
  };
  struct Row {
    OfRevision of = {};
    std::unique_ptr<Figures> figures = {};  // once they are to be shown
  };
  struct Family;
  static const std::vector<Family>& Families();

  void Begin(bool gzip);
  // Both return what it cost, as bytes of text.
  size_t WriteGroup(metrics::PageWriter& page);
  size_t WriteRows(std::string& text);
  bool Look(size_t row);

  const Clock& clock_;
  RevisionSource revisions_;
  std::shared_ptr<PageMemory> memory_;  // null: this page has none
  std::shared_ptr<const void> use_;     // of the memory
  bool begun_ = false;
  std::vector<Row> rows_;
  size_t family_ = 0;
  size_t group_ = 0;
  std::string text_;  // what is to be compressed
};

}  // namespace updraft::activator

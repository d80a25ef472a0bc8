// The part of the metrics page with the series of each revision, written in pieces straight from what
// the workers count, in Prometheus' text format. One thread; stops no worker.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "activator/queue/revision.h"
#include "core/base/clock.h"
#include "core/metrics/page_part.h"

namespace updraft::activator {

class RevisionPage final : public metrics::PagePart {
 public:
  struct OfRevision {
    std::shared_ptr<const RevisionSettings> settings = {};
    std::shared_ptr<const Revision> revision = {};
  };

  // Revisions that never had a request have no series. `clock` must outlive the page.
  RevisionPage(const Clock& clock, std::vector<OfRevision> revisions);
  bool Next(std::string& page) override;

 private:
  struct Row {
    std::string labels;  // without braces
    OfRevision of;
    LoadReading load;  // both as they were when the page was begun
    TrafficTotals traffic;
  };
  struct Family;
  static const std::vector<Family>& Families();

  void Prepare();

  const Clock& clock_;
  std::vector<OfRevision> revisions_;
  size_t prepared_ = 0;
  std::vector<Row> rows_;
  size_t family_ = 0;
  size_t row_ = 0;
};

}  // namespace updraft::activator

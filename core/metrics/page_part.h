// A part of the metrics page that is too long to be written in one turn of the loop. Pure.
#pragma once

#include "core/metrics/page_writer.h"

namespace updraft::metrics {

class PagePart {
 public:
  virtual ~PagePart() = default;
  // Appends the next piece to `page`, the same for all pieces; the work for each is bounded. False: that was the last.
  virtual bool Next(PageWriter& page) = 0;
};

}  // namespace updraft::metrics

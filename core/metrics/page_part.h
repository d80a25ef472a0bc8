// A part of the metrics page that is too long to be written in one turn of the loop. Pure.
#pragma once

#include <string>

namespace updraft::metrics {

class PagePart {
 public:
  virtual ~PagePart() = default;
  // Appends the next piece to `page`; the work for each is bounded. False: that was the last.
  virtual bool Next(std::string& page) = 0;
};

}  // namespace updraft::metrics

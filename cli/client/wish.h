// What `wait` waits for, judged on what is there. Pure.
#pragma once

#include <string>

#include "cli/client/watch.h"

namespace updraft::cli {

struct Wish {
  bool deleted = false;
  std::string condition{};  // type
  std::string status = "True";
};

// "condition=Ready", "condition=Ready=False", "delete".
Result<Wish> ParseWish(const std::string& text);

// True when the object is as wished, and its status is about what its spec says now.
bool Fulfils(const Json& object, const Wish& wish);

// Why an object is not as wished, in its own words: "Ready is False: RevisionFailed: ...". May be
// empty.
std::string WhyNot(const Json& object, const Wish& wish);

}  // namespace updraft::cli

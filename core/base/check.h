// Broken invariants abort the process: the supervisor restarts it, and every program comes back right.
#pragma once

#include <cstdio>
#include <cstdlib>

// Aborts with the place and the condition when `condition` is false, in every build.
#define UPDRAFT_CHECK(condition)                                                             \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition);     \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)

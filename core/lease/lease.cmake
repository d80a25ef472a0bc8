updraft_library(core_lease
  SRCS lease/candidate.cc lease/election.cc lease/led_store.cc
  DEPS core_store)

updraft_library(core_lease
  SRCS lease/candidate.cc lease/election.cc lease/led_store.cc lease/process_mark.cc
  DEPS core_store)

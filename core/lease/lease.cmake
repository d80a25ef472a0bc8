updraft_library(core_lease
  SRCS lease/candidate.cc lease/election.cc
  DEPS core_store)

updraft_library(core_store
  SRCS store/memory_store.cc store/open_store.cc store/sqlite_database.cc store/sqlite_store.cc
       store/validate.cc store/watch_list.cc
  DEPS core_base SQLite::SQLite3)

updraft_library(core_store
  SRCS store/memory_store.cc store/sqlite_database.cc store/sqlite_store.cc
       store/validate.cc store/watch_list.cc
  DEPS core_base SQLite::SQLite3)

updraft_library(core_etcd_store PCH grpc
  SRCS store/etcd_client.cc store/etcd_options.cc store/etcd_store.cc store/etcd_watch.cc store/etcd_wire.cc
       store/write_order.cc
  DEPS core_store etcd_proto)

updraft_library(core_open_store
  SRCS store/open_store.cc
  DEPS core_store
  PRIVATE_DEPS core_etcd_store)

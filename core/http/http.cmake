# core_http: coroutines (task, scope, sync), heads and framing (pure), and the server and client over them.
updraft_library(core_http
  SRCS http/frame_pool.cc http/scope.cc http/sync.cc
  DEPS core_base)

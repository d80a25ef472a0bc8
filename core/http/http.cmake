# core_http: coroutines (task, scope, sync), heads and framing (pure), and the server and client over them.
updraft_library(core_http HOT
  SRCS http/frame_pool.cc http/scope.cc http/sync.cc
       http/message.cc http/parser.cc http/chunked.cc http/head_writer.cc http/date.cc http/address.cc
       http/host_name.cc http/certificate.cc http/ticket_keys.cc http/tls_context.cc http/tls_stream.cc
       http/proxy_protocol.cc
       http/stream.cc http/splice.cc http/scratch.cc http/inherited_listeners.cc http/input.cc http/output.cc
       http/exchange.cc http/response_facts.cc http/linger.cc http/http1_exchange.cc http/http1_connection.cc
       http/http2_memory.cc http/http2_session.cc http/http2_stream.cc http/http2_exchange.cc http/http2_connection.cc
       http/client_connection.cc http/http2_client.cc http/client.cc
       http/acceptor.cc http/server_connections.cc http/server.cc
  DEPS core_base PkgConfig::NGHTTP2
  PRIVATE_DEPS OpenSSL::SSL)

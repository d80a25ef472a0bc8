# core_metrics: a program's metrics in prometheus-cpp, and the /metrics, /healthz and /readyz that show them.
# core_metrics_page: how a page is written that is too long for one turn of a loop, plain or compressed.
updraft_library(core_metrics_page
  SRCS metrics/page_writer.cc
  DEPS core_base ZLIB::ZLIB)
updraft_library(core_metrics
  SRCS metrics/exposition.cc metrics/process_metrics.cc
  DEPS core_base core_http core_metrics_page prometheus-cpp::core)
target_compile_definitions(core_metrics PRIVATE UPDRAFT_VERSION="${PROJECT_VERSION}")

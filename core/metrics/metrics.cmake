# core_metrics: a program's metrics in prometheus-cpp, and the /metrics, /healthz and /readyz that show them.
updraft_library(core_metrics
  SRCS metrics/exposition.cc metrics/process_metrics.cc
  DEPS core_base core_http prometheus-cpp::core)
target_compile_definitions(core_metrics PRIVATE UPDRAFT_VERSION="${PROJECT_VERSION}")

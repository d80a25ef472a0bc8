#include "controller/streaming/exit_status.h"

#include <nlohmann/json.hpp>

namespace updraft::controller {
namespace {

std::string Text(const nlohmann::json& status) {
  return status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string StatusOfExit(int exit_code) {
  if (exit_code == 0) return Text({{"metadata", nlohmann::json::object()}, {"status", "Success"}});
  const std::string code = std::to_string(exit_code);
  nlohmann::json cause{{"reason", "ExitCode"}, {"message", code}};
  return Text({{"metadata", nlohmann::json::object()},
               {"status", "Failure"},
               {"reason", "NonZeroExitCode"},
               {"message", "command terminated with non-zero exit code: exit status " + code},
               {"details", {{"causes", nlohmann::json::array({std::move(cause)})}}}});
}

std::string StatusOfError(const Error& error) {
  nlohmann::json cause{{"message", error.message}};
  return Text({{"metadata", nlohmann::json::object()},
               {"status", "Failure"},
               {"reason", "InternalError"},
               {"message", "Internal error occurred: " + error.message},
               {"details", {{"causes", nlohmann::json::array({std::move(cause)})}}},
               {"code", 500}});
}

}  // namespace updraft::controller

#include "node-agent/logs/instance_record.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace updraft::node_agent {
namespace {

std::string FileIn(const std::string& folder) { return folder + "/instance.json"; }

std::optional<InstanceRecord> FromName(const std::string& folder) {
  const std::string name = std::filesystem::path(folder).filename();
  const size_t separator = name.find('_');  // neither a namespace nor an instance has one
  struct stat status {};
  if (separator == std::string::npos || stat(folder.c_str(), &status) != 0) return std::nullopt;
  return InstanceRecord{.instance_id = name.substr(separator + 1),
                        .namespace_name = name.substr(0, separator),
                        .finished_at = WallTime(Seconds(status.st_mtime))};
}

std::string TextIn(const nlohmann::json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : "";
}

}  // namespace

void WriteInstanceRecord(const std::string& folder, const InstanceRecord& record) {
  nlohmann::ordered_json json = {{"instance", record.instance_id},
                                 {"namespace", record.namespace_name},
                                 {"revision", record.revision},
                                 {"servingContainer", record.serving_container}};
  if (record.finished_at) json["finishedAtNanos"] = UnixNanos(*record.finished_at);
  const std::string temporary = FileIn(folder) + ".new";
  std::ofstream(temporary) << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                           << '\n';
  std::error_code ignored;
  std::filesystem::rename(temporary, FileIn(folder), ignored);
}

std::optional<InstanceRecord> ReadInstanceRecord(const std::string& folder) {
  std::ifstream file(FileIn(folder));
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || TextIn(json, "instance").empty()) return FromName(folder);
  InstanceRecord record{.instance_id = TextIn(json, "instance"),
                        .namespace_name = TextIn(json, "namespace"),
                        .revision = TextIn(json, "revision"),
                        .serving_container = TextIn(json, "servingContainer")};
  const auto finished = json.find("finishedAtNanos");
  if (finished != json.end() && finished->is_number_integer()) {
    record.finished_at = FromUnixNanos(finished->get<int64_t>());
  }
  return record;
}

}  // namespace updraft::node_agent

// What is served without looking at any object: discovery, OpenAPI, version. Built once; immutable.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace updraft::controller {

struct Page {
  int code = 200;
  std::string content_type = "application/json";
  std::string body = {};
};

class Documents {
 public:
  explicit Documents(const std::string& release);

  // nullopt: there is no such path. `accept` decides between the forms of discovery and of OpenAPI
  // v2; a form that discovery does not have is a 406.
  std::optional<Page> Find(std::string_view path, std::string_view accept) const;

 private:
  std::optional<Page> FindDiscovery(std::string_view path, const std::string& version) const;

  std::map<std::string, std::string, std::less<>> pages_;       // JSON, by path
  std::map<std::string, std::string, std::less<>> aggregated_;  // by path and version: "/api v2"
  std::string openapi_v2_proto_;
};

}  // namespace updraft::controller

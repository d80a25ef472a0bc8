#include "node-agent/image/registries_config.h"

#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

namespace updraft::node_agent {
namespace {

constexpr std::streamoff kFileBytesMax = 1 << 20;

// Reads one document and remembers its first fault; yaml-cpp's exceptions end in Read().
class RegistriesReader {
 public:
  explicit RegistriesReader(std::string origin) : origin_(std::move(origin)) {}

  Result<RegistriesConfig> Read(std::string_view yaml) {
    RegistriesConfig config;
    try {
      ReadDocument(YAML::Load(std::string(yaml)), config);
    } catch (const YAML::Exception& fault) {
      Fail(fault.mark, fault.msg);
    }
    if (fault_.has_value()) return *fault_;
    return config;
  }

 private:
  void ReadDocument(const YAML::Node& root, RegistriesConfig& config) {
    if (!root.IsDefined() || root.IsNull()) return;
    if (!root.IsMap()) return Fail(root.Mark(), "a map with the key \"registries\" is expected");
    for (const auto& entry : root) {
      const auto key = entry.first.as<std::string>();
      if (key != "registries") return Fail(entry.first.Mark(), "unknown key \"" + key + "\"");
      if (entry.second.IsNull()) continue;
      if (!entry.second.IsMap()) {
        return Fail(entry.second.Mark(), "\"registries\" must be a map from host to settings");
      }
      for (const auto& registry : entry.second) {
        const auto host = registry.first.as<std::string>();
        if (host.find('/') != std::string::npos) {
          return Fail(registry.first.Mark(), "\"" + host + "\" must be host or host:port");
        }
        if (!config.registries.emplace(host, ReadSettings(registry.second)).second) {
          return Fail(registry.first.Mark(), "\"" + host + "\" appears twice");
        }
      }
    }
  }

  RegistrySettings ReadSettings(const YAML::Node& node) {
    RegistrySettings settings;
    if (node.IsNull()) return settings;
    if (!node.IsMap()) {
      Fail(node.Mark(), "settings of a registry must be a map");
      return settings;
    }
    for (const auto& entry : node) {
      const auto key = entry.first.as<std::string>();
      if (!ReadSetting(key, entry.second, settings)) {
        Fail(entry.first.Mark(), "unknown key \"" + key + "\"");
      }
    }
    if (settings.username.empty() && !settings.password.empty()) {
      Fail(node.Mark(), "\"password\" without \"username\"");
    }
    return settings;
  }

  bool ReadSetting(const std::string& key, const YAML::Node& value, RegistrySettings& settings) {
    if (key == "mirrors") {
      ReadMirrors(value, settings);
    } else if (key == "endpoint") {
      settings.endpoint = ReadUrl(key, value);
    } else if (key == "plain_http") {
      settings.plain_http = ReadBool(key, value);
    } else if (key == "ca_file") {
      settings.ca_file = ReadText(key, value);
    } else if (key == "insecure_skip_verify") {
      settings.insecure_skip_verify = ReadBool(key, value);
    } else if (key == "username") {
      settings.username = ReadText(key, value);
    } else if (key == "password") {
      settings.password = ReadText(key, value);
    } else if (key == "password_file") {
      ReadPasswordFile(value, settings);
    } else {
      return false;
    }
    return true;
  }

  void ReadMirrors(const YAML::Node& value, RegistrySettings& settings) {
    if (!value.IsSequence()) return Fail(value.Mark(), "\"mirrors\" must be a list of URLs");
    for (const YAML::Node& mirror : value) settings.mirrors.push_back(ReadUrl("mirrors", mirror));
  }

  void ReadPasswordFile(const YAML::Node& value, RegistrySettings& settings) {
    const std::string path = ReadText("password_file", value);
    std::ifstream file(path);
    if (!std::getline(file, settings.password)) {
      Fail(value.Mark(), "cannot read a password from " + path);
    }
  }

  std::string ReadText(const std::string& key, const YAML::Node& value) {
    if (value.IsScalar()) return value.Scalar();
    Fail(value.Mark(), "\"" + key + "\" must be a text");
    return "";
  }

  bool ReadBool(const std::string& key, const YAML::Node& value) {
    bool flag = false;
    if (!value.IsScalar() || !YAML::convert<bool>::decode(value, flag)) {
      Fail(value.Mark(), "\"" + key + "\" must be true or false");
    }
    return flag;
  }

  std::string ReadUrl(const std::string& key, const YAML::Node& value) {
    std::string url = ReadText(key, value);
    while (url.ends_with('/')) url.pop_back();
    if (!url.starts_with("https://") && !url.starts_with("http://")) {
      Fail(value.Mark(), "\"" + key + "\": \"" + url + "\" must begin with https:// or http://");
    }
    return url;
  }

  void Fail(const YAML::Mark& mark, const std::string& why) {
    if (fault_.has_value()) return;
    fault_ =
        Error{Code::kInvalidArgument, origin_ + ":" + std::to_string(mark.line + 1) + ": " + why};
  }

  const std::string origin_;
  std::optional<Error> fault_;
};

}  // namespace

const RegistrySettings& RegistriesConfig::For(const std::string& host) const {
  static const RegistrySettings kDefaults;
  const auto it = registries.find(host);
  return it == registries.end() ? kDefaults : it->second;
}

Result<RegistriesConfig> ParseRegistries(std::string_view yaml, const std::string& origin) {
  return RegistriesReader(origin).Read(yaml);
}

Result<RegistriesConfig> ReadRegistries(const std::string& path) {
  if (path.empty()) return RegistriesConfig();
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) {
    if (errno == ENOENT) return RegistriesConfig();
    return Error{Code::kInvalidArgument, path + ": " + std::generic_category().message(errno)};
  }
  if (file.tellg() > kFileBytesMax) {
    return Error{Code::kInvalidArgument, path + ": larger than 1 MB"};
  }
  file.seekg(0);
  std::ostringstream text;
  text << file.rdbuf();
  return ParseRegistries(text.str(), path);
}

}  // namespace updraft::node_agent

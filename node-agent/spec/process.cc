#include "node-agent/spec/process.h"

#include <map>

namespace updraft::node_agent {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// Variables in the order of their first mention.
class OrderedEnvironment {
 public:
  void Set(std::string_view name, std::string_view value) {
    std::string entry = std::string(name) + "=" + std::string(value);
    const auto [it, added] = places_.emplace(name, entries_.size());
    if (added) {
      entries_.push_back(std::move(entry));
    } else {
      entries_[it->second] = std::move(entry);
    }
  }
  std::vector<std::string> Take() { return std::move(entries_); }

 private:
  std::vector<std::string> entries_;
  std::map<std::string, size_t, std::less<>> places_;
};

}  // namespace

Result<std::vector<std::string>> Arguments(const v1::Container& container, const ImageConfig& image) {
  std::vector<std::string> arguments;
  if (container.command_size() > 0) {
    arguments.assign(container.command().begin(), container.command().end());
  } else {
    arguments = image.entrypoint;
  }
  if (container.args_size() > 0) {
    arguments.insert(arguments.end(), container.args().begin(), container.args().end());
  } else if (container.command_size() == 0) {
    arguments.insert(arguments.end(), image.cmd.begin(), image.cmd.end());
  }
  if (arguments.empty() || arguments.front().empty()) {
    return Error{Code::kInvalidArgument, "no command specified: neither the container nor its image has one"};
  }
  return arguments;
}

std::vector<std::string> Environment(const v1::Container& container, const ImageConfig& image,
                                     const std::string& hostname) {
  OrderedEnvironment environment;
  environment.Set("PATH", kDefaultPath);
  environment.Set("HOSTNAME", hostname);
  for (const std::string& entry : image.env) {
    const size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) continue;
    environment.Set(std::string_view(entry).substr(0, equals), std::string_view(entry).substr(equals + 1));
  }
  for (const v1::EnvVar& variable : container.env()) environment.Set(variable.name(), variable.value());
  return environment.Take();
}

std::string WorkingDirectory(const v1::Container& container, const ImageConfig& image) {
  const std::string& wanted = container.working_dir().empty() ? image.working_dir : container.working_dir();
  if (wanted.empty()) return "/";
  return wanted.front() == '/' ? wanted : "/" + wanted;
}

}  // namespace updraft::node_agent

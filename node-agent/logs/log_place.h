// Where logs lie on disk:
//
//   <root>/<namespace>_<instance>/instance.json
//   <root>/<namespace>_<instance>/<container>/<restart>.log      the file that is written
//   <root>/<namespace>_<instance>/<container>/<restart>.log.<n>  full ones; n grows, so the lowest
//   is the oldest
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/unique_fd.h"

namespace updraft::node_agent {

// The file of one run of one container that is written now.
std::string LogPath(const std::string& container_folder, int restart);

// The n of the full files beside `log_path`, ascending.
std::vector<uint64_t> RotatedNumbers(const std::string& log_path);

// All files of a run, oldest first; those that do not exist are left out.
std::vector<std::string> LogFilesOf(const std::string& log_path);

// The restarts that have a log in a container's folder, ascending.
std::vector<int> RestartsIn(const std::string& container_folder);

// The file after the one that `fd` reads, whatever they are called by now; nullopt: `fd` reads the
// newest.
std::optional<std::string> FileAfter(const std::string& log_path, int fd);

// Holds no descriptor when the file cannot be opened (it was just rotated away, or never was).
UniqueFd OpenForReading(const std::string& path);

}  // namespace updraft::node_agent

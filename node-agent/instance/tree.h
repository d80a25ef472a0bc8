// Users' directories, however large they are: measured and removed entry by entry. Blocks for as long as that takes;
// symbolic links are never followed.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace updraft::node_agent {

// What everything in the directory takes of its disk, in bytes; less when `stop` became true meanwhile, or what is
// below the 200th level.
int64_t BytesIn(const std::string& directory, const std::atomic<bool>& stop);

// As far as it can, and until `stop`.
void RemoveTree(const std::string& directory, const std::atomic<bool>& stop);

}  // namespace updraft::node_agent

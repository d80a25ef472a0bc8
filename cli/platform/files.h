// Small files written whole: configuration, pids, status.
#pragma once

#include <sys/types.h>

#include <string>

#include "core/base/result.h"

namespace updraft::cli {

Result<std::string> ReadFile(const std::string& path);

// Atomic: a reader sees the old text or the new one. Makes missing folders.
Status WriteFile(const std::string& path, const std::string& text, mode_t mode);

Status MakeFolders(const std::string& path);

}  // namespace updraft::cli

#include "cli/platform/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace updraft::cli {

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{Code::kNotFound, path + ": " + std::generic_category().message(errno)};
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Status WriteFile(const std::string& path, const std::string& text, mode_t mode) {
  if (Status made = MakeFolders(std::filesystem::path(path).parent_path()); !made) return made;
  const std::string fresh = path + ".new";
  {
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    out << text;
    out.flush();
    if (!out) return Error{Code::kInternal, fresh + ": " + std::generic_category().message(errno)};
  }
  if (chmod(fresh.c_str(), mode) != 0 || rename(fresh.c_str(), path.c_str()) != 0) {
    return Error{Code::kInternal, path + ": " + std::generic_category().message(errno)};
  }
  return Ok();
}

Status MakeFolders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Error{Code::kInternal, path + ": " + error.message()};
  return Ok();
}

}  // namespace updraft::cli

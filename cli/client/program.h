// Programs of the user's that a verb hands files to. Blocks while they run.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"

namespace updraft::cli {

// A folder for such files, gone with the object unless it was kept.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }  // empty: none could be made
  void Keep() { kept_ = true; }

 private:
  std::string path_;
  bool kept_ = false;
};

Status WriteTextFile(const std::string& path, const std::string& text);
Result<std::string> ReadTextFile(const std::string& path);

// `command` is a shell's, as people set it in $EDITOR; the arguments follow it as they are.
// Runs it at the terminal that we have. Gives its exit code.
int RunAtTerminal(const std::string& command, const std::vector<std::string>& arguments);

struct Ran {
  int exit_code = 0;
  std::string output{};
};
Ran RunForOutput(const std::string& command, const std::vector<std::string>& arguments);

// The first of these variables that is set, else `otherwise`.
std::string CommandFrom(const std::vector<const char*>& variables, const std::string& otherwise);

}  // namespace updraft::cli

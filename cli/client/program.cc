#include "cli/client/program.h"

#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace updraft::cli {
namespace {

std::string InQuotes(const std::string& argument) {
  std::string quoted = "'";
  for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string CommandLine(const std::string& command, const std::vector<std::string>& arguments) {
  std::string line = command;
  for (const std::string& argument : arguments) line += " " + InQuotes(argument);
  return line;
}

int ExitCodeOf(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128; }

}  // namespace

ScratchFolder::ScratchFolder() {
  std::string path = std::filesystem::temp_directory_path() / "updraft-XXXXXX";
  if (mkdtemp(path.data()) != nullptr) path_ = path;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!kept_ && !path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Status WriteTextFile(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  if (!file) return Error{Code::kInternal, path + " cannot be written"};
  return Ok();
}

Result<std::string> ReadTextFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error{Code::kNotFound, path + " cannot be read"};
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

int RunAtTerminal(const std::string& command, const std::vector<std::string>& arguments) {
  return ExitCodeOf(system(CommandLine(command, arguments).c_str()));
}

Ran RunForOutput(const std::string& command, const std::vector<std::string>& arguments) {
  Ran ran;
  FILE* const pipe = popen(CommandLine(command, arguments).c_str(), "r");
  if (pipe == nullptr) return {.exit_code = 128};
  char block[4096];
  for (size_t count = 0; (count = fread(block, 1, sizeof block, pipe)) > 0;)
    ran.output.append(block, count);
  ran.exit_code = ExitCodeOf(pclose(pipe));
  return ran;
}

std::string CommandFrom(const std::vector<const char*>& variables, const std::string& otherwise) {
  for (const char* variable : variables) {
    const char* const value = getenv(variable);
    if (value != nullptr && *value != '\0') return value;
  }
  return otherwise;
}

}  // namespace updraft::cli

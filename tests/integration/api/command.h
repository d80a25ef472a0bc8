// Runs a program for a test and takes what it prints.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace updraft {

struct Outcome {
  int code = -1;  // exit code; 128+n for a signal
  std::string out = {};
  std::string err = {};
};

// Waits for the end; `input` goes to its standard input. The environment is this process' with
// `environment` added.
Outcome RunCommand(const std::vector<std::string>& arguments, const std::string& input = {},
                   const std::map<std::string, std::string>& environment = {});

// A program that runs beside the test, killed at the end of its scope.
class BackgroundCommand {
 public:
  BackgroundCommand(const std::vector<std::string>& arguments,
                    const std::map<std::string, std::string>& environment);
  ~BackgroundCommand();
  BackgroundCommand(const BackgroundCommand&) = delete;
  BackgroundCommand& operator=(const BackgroundCommand&) = delete;

  // Reads its standard output until `text` has come or ten seconds have passed without a byte;
  // gives all that was read so far.
  const std::string& ReadUntil(const std::string& text);

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  std::string read_;
};

}  // namespace updraft

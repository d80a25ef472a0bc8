// Processes that outlive the one who started them: named by pid and start time, watched by pidfd.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace updraft::cli {

struct ProcessIdentity {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // of /proc/PID/stat: a reused pid has another

  bool operator==(const ProcessIdentity&) const = default;
};

struct SpawnOptions {
  std::vector<std::string> argv;
  std::string log_file;         // standard output and error are appended to it; standard input is /dev/null
  std::string mount_namespace;  // file of the namespace to enter; empty: this process's
};

// Starts a process in a session of its own.
Result<ProcessIdentity> Spawn(const SpawnOptions& options);

// What runs under `pid` now; nullopt when nothing does.
std::optional<ProcessIdentity> IdentityOf(pid_t pid);
bool IsAlive(const ProcessIdentity& process);

// A descriptor that becomes readable when the process ends; kNotFound when it has.
Result<int> OpenPidfd(const ProcessIdentity& process);

// Sends `signal` to exactly this process, never to one that reuses its pid.
void SendSignal(const ProcessIdentity& process, int signal);

// Waits until the process has ended; false at the end of `millis_max`.
bool WaitForEnd(const ProcessIdentity& process, int millis_max);

// Collects the exit status of a child that has ended; nullopt when it is not ours or not collected.
std::optional<int> Reap(pid_t pid);

Status WritePid(const std::string& file, const ProcessIdentity& process);
std::optional<ProcessIdentity> ReadPid(const std::string& file);  // only if it lives

// Proportional set size in kB, from smaps_rollup; 0 when it cannot be read.
int64_t PssKilobytes(pid_t pid);

}  // namespace updraft::cli

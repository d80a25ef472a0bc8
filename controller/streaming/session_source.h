// What runs in instances for clients that are connected: commands, and connections to ports. Loop
// thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/http/task.h"

namespace updraft::controller {

struct ExecRequest {
  std::string ns = {};
  std::string pod = {};
  std::string container = {};  // one of the pod's
  std::vector<std::string> command = {};
  bool input = false;
  bool terminal = false;
};

struct ExecEvent {
  enum class Kind { kStarted, kOutput, kError, kExit };

  Kind kind = Kind::kStarted;
  std::string data = {};
  int exit_code = 0;
};

// A process. Destroying it ends it. One coroutine may wait in Next(), one in the others.
class ExecSession {
 public:
  virtual ~ExecSession() = default;

  // kStarted first, kExit last. Errors, the last as well: kNotFound: no such instance or container;
  // kFailedPrecondition: it does not run; kUnavailable: its node is away; kCancelled: after
  // Cancel(); others: the process could not be started.
  virtual http::Task<Result<ExecEvent>> Next() = 0;
  // These wait while the process does not read.
  virtual http::Task<Status> Write(std::string data) = 0;
  virtual http::Task<Status> EndInput() = 0;
  virtual http::Task<Status> Resize(uint32_t columns, uint32_t rows) = 0;
  // Nobody is there any more: every wait ends.
  virtual void Cancel() = 0;
};

// A connection to a port on an instance's loopback, as above.
class PortConnection {
 public:
  virtual ~PortConnection() = default;

  // Once, first. kUnavailable: nobody listens there, or the node is away.
  virtual http::Task<Status> Opened() = 0;
  // The next bytes, empty at the end.
  virtual http::Task<Result<std::string>> Read() = 0;
  virtual http::Task<Status> Write(std::string data) = 0;
  virtual http::Task<Status> End() = 0;
  virtual void Cancel() = 0;
};

class SessionSource {
 public:
  virtual ~SessionSource() = default;

  // Errors: see ExecSession::Next(), of which some are told only there.
  virtual Result<std::unique_ptr<ExecSession>> Exec(const ExecRequest& request) = 0;
  virtual Result<std::unique_ptr<PortConnection>> Connect(const std::string& ns,
                                                          const std::string& pod,
                                                          uint16_t port) = 0;
};

}  // namespace updraft::controller

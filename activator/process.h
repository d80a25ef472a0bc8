// The activator as a process: what it inherits from the one before it, serves with, and hands over.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "activator/access_log/access_log.h"
#include "activator/config.h"
#include "activator/control.h"
#include "activator/handover/handover.h"
#include "activator/inside/name_server.h"
#include "activator/tls_upkeep.h"
#include "activator/worker_pool.h"
#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/http/inherited_listeners.h"
#include "core/http/server.h"
#include "core/metrics/exposition.h"

namespace updraft::activator {

// Who serves before us, and what we were given to serve at.
struct Inheritance {
  std::optional<Predecessor> predecessor;
  http::InheritedListeners listeners;
  uint32_t generation() const { return predecessor ? predecessor->generation() + 1 : 0; }
};

// Blocks. Before threads are started. kUnavailable, kInvalidArgument: somebody serves at the path, and
// gave nothing.
Result<Inheritance> Inherit(const Config& config);

// Where the flags want none it is there for what the controller may say, on standard output, and logs nothing until
// then. kInvalidArgument: the template; kUnavailable: the file.
Result<std::unique_ptr<AccessLog>> OpenAccessLog(const Config& config);

// The parts, in the order in which they need one another. One thread, but for loop()'s.
class Process {
 public:
  // `config` and `access_log` must outlive it.
  Process(const Config& config, Inheritance inheritance, AccessLog& access_log);

  Loop& loop() { return loop_; }

  // Until it is told to stop, or has handed over and finished. An exit code.
  int Run();

  // On the loop: stops accepting, finishes what it has, ends. Again: no effect.
  void Drain();

 private:
  void OnRoutable();
  void OnRequestLog(const v1::RequestLog& request_log);
  void ServeInside();
  Status TryServeInside();
  void ListenForOperations();
  void AwaitSuccessor();
  std::vector<int> ListeningSockets();
  void OnRelieved();
  void GiveUp(const std::string& doing, const Error& error);

  const Config& config_;
  AccessLog& access_log_;
  Inheritance inheritance_;  // until we serve
  const uint32_t generation_;
  Loop loop_;
  metrics::Exposition exposition_{"activator"};
  Control control_;
  WorkerPool pool_;
  TlsUpkeep tls_;
  http::Server operations_;
  std::unique_ptr<Succession> succession_;
  std::unique_ptr<NameServer> names_;
  bool draining_ = false;
  bool listens_inside_ = false;
  bool inside_failed_ = false;
  int exit_code_ = 0;
};

}  // namespace updraft::activator

// Whether this controller leads: of several on one store one does its work, and the others stand
// by. Loop thread only.
#pragma once

#include <functional>
#include <memory>

#include "core/base/loop.h"
#include "core/http/server.h"
#include "core/lease/led_store.h"
#include "core/metrics/exposition.h"

namespace updraft::controller {

class Leadership {
 public:
  // The loop and the store outlive it. `led`, then `lost`, are told once each.
  Leadership(Loop& loop, lease::LedStore& store, std::function<void()> led,
             std::function<void()> lost);
  ~Leadership();
  Leadership(const Leadership&) = delete;
  Leadership& operator=(const Leadership&) = delete;

  // Serves /metrics, /healthz and /readyz (503, and who leads) until it leads; then the address is
  // free. kUnavailable: it is not.
  Status StandBy(const std::string& operations_address);

  // Another may lead at once. `done` is told when the store knows, or cannot be told.
  void Resign(std::function<void()> done);

 private:
  void Look();
  Status Ready() const;

  Loop& loop_;
  lease::LedStore& store_;
  std::function<void()> led_;   // empty once told
  std::function<void()> lost_;  // empty once told, or when it is not to be told
  metrics::Exposition exposition_{"controller"};
  std::unique_ptr<http::Server> operations_;
  bool heard_ = true;  // from the store, when it was last asked who leads
  Loop::TimerId timer_ = 0;
};

}  // namespace updraft::controller

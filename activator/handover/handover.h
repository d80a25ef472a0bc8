// How one activator follows another without a connection refused:
//
//   new: connects to the path            old: sends its listening sockets, and serves on
//   new: serves at them, too; listens at the path itself; says so
//                                        old: stops accepting, finishes what it has, ends
//
// Should the new one die before it says so, nothing has happened to the old.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace updraft::activator {

// What a new activator takes over.
class Predecessor {
 public:
  // Blocks until it has the sockets, some seconds at most. kNotFound: nobody serves at the path.
  // kUnavailable: somebody does, and did not give them.
  static Result<Predecessor> Meet(const std::string& path);

  std::vector<UniqueFd>& sockets() { return sockets_; }
  uint32_t generation() const { return generation_; }  // of the one that was there
  // That we serve in its place.
  void Relieve();

 private:
  Predecessor() = default;

  UniqueFd connection_;
  uint32_t generation_ = 0;
  std::vector<UniqueFd> sockets_;
};

// Waits for a successor. Loop thread only.
class Succession final : private FdObserver {
 public:
  struct Events {
    std::function<std::vector<int>()> sockets;  // to be handed over; they stay the caller's
    std::function<void()> relieved;             // once: the successor serves
  };
  // A socket that is at the path is replaced. `generation`: our own. kInvalidArgument, kUnavailable:
  // it cannot listen there.
  static Result<std::unique_ptr<Succession>> Await(Loop& loop, const std::string& path, uint32_t generation,
                                                   Events events);
  ~Succession();

 private:
  class Candidate;

  Succession(Loop& loop, UniqueFd listener, uint32_t generation, Events events);
  void OnReady(uint32_t events) override;
  void OnWord(Candidate& candidate);

  Loop& loop_;
  UniqueFd listener_;
  const uint32_t generation_;
  const Events events_;
  std::vector<std::unique_ptr<Candidate>> candidates_;
  bool relieved_ = false;
};

}  // namespace updraft::activator

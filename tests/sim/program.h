// A user's program as it runs in a container, and what the simulation knows of it that no part of
// the platform does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace updraft::sim {

// A request inside a program. Told when the program dies under it.
class Guest {
 public:
  virtual void OnProgramDied() = 0;

 protected:
  ~Guest() = default;
};

// Tells a program its containerConcurrency, so that it can tell when it is exceeded.
inline constexpr char kLimitVariable[] = "LIMIT";

struct Program {
  std::string instance;
  std::string revision;  // "namespace/name"
  uint32_t limit = 0;    // the containerConcurrency that it was made with; 0: none
  bool running = false;
  bool listening = false;
  bool healthy = true;                  // answers its probes
  bool ever_ready = false;              // its agent has called the instance ready once
  std::map<uint64_t, Guest*> guests;    // by request
  std::map<uint32_t, uint32_t> inside;  // requests by activator

  void Die() {
    running = listening = false;
    const std::map<uint64_t, Guest*> there = std::exchange(guests, {});
    inside.clear();
    for (const auto& [request, guest] : there) guest->OnProgramDied();
  }
};

// Which program an address leads to.
class Backends {
 public:
  enum class Reached { kProgram, kRefused, kSilence };  // silence: no answer, ever
  struct Way {
    Reached reached = Reached::kRefused;
    Program* program = nullptr;
  };
  virtual Way Reach(uint32_t activator, const std::string& ip) = 0;
  // Whether what it says still gets back.
  virtual bool Answers(uint32_t activator, const std::string& ip) = 0;

 protected:
  ~Backends() = default;
};

}  // namespace updraft::sim

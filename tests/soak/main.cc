// Mixed load on the activator's workers, in windows: after each all that it took is given back, and what the process holds
// does not grow from one to the next. In the end no coroutine's frame and no request is missing. Ends with 1 if not.
#include <dirent.h>
#include <malloc.h>
#include <poll.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/http/frame_pool.h"
#include "tests/integration/http/memory.h"
#include "tests/soak/ground.h"
#include "tests/soak/visits.h"

namespace updraft::activator {
namespace {

struct Options {
  uint32_t seconds = 20;
  uint32_t seed = 1;
  uint32_t clients = 8;
};

constexpr Nanos kPatience = Seconds(60);
constexpr double kMegabyte = 1e6;
// What allocators and the load's chance make of the same state.
constexpr double kHeapSlack = 4 * kMegabyte;
constexpr double kResidentSlack = 24 * kMegabyte;

class Findings {
 public:
  void Expect(bool good, const std::string& what) {
    if (good) return;
    std::printf("FAILED: %s\n", what.c_str());
    failed_ = true;
  }
  bool failed() const { return failed_; }

 private:
  bool failed_ = false;
};

size_t OpenDescriptors() {
  size_t count = 0;
  DIR* const folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

// False: it did not come true in time.
template <typename Condition>
bool Await(Condition condition) {
  const TimePoint until = RealClock().Now() + kPatience;
  while (!condition()) {
    if (RealClock().Now() > until) return false;
    poll(nullptr, 0, 5);
  }
  return true;
}

struct Held {
  double heap = 0;      // bytes that were asked for and not given back
  double resident = 0;  // bytes of memory
};

Held WhatIsHeld() {
  const struct mallinfo2 heap = mallinfo2();
  return {static_cast<double>(heap.uordblks + heap.hblkhd), static_cast<double>(ResidentBytes())};
}

class Soak {
 public:
  explicit Soak(const Options& options) : options_(options), random_(options.seed) {}

  int Run() {
    {
      Ground ground;
      ground.Settle();
      Warm(ground);
      const size_t descriptors = OpenDescriptors();
      // A tenth of the time for each window, without what it takes to settle.
      const Nanos length = std::max<Nanos>(Seconds(options_.seconds) / 10, Seconds(1));
      const TimePoint end = RealClock().Now() + Seconds(options_.seconds);
      Held most;
      for (int window = 1; window <= kWarmWindows || RealClock().Now() < end; ++window) {
        RunWindow(ground, length);
        Settle(ground, descriptors);
        const Held held = WhatIsHeld();
        std::printf("window %d: %zu visits, %zu instances left alone, %.1f MB asked for, %.1f MB resident\n", window, visits_,
                    ground.RestoreEjected(), held.heap / kMegabyte, held.resident / kMegabyte);
        std::fflush(stdout);
        if (window <= kWarmWindows) {
          most = {std::max(most.heap, held.heap), std::max(most.resident, held.resident)};
        } else if (kMemoryCounts) {
          findings_.Expect(held.heap < most.heap + kHeapSlack, "the heap grows");
          findings_.Expect(held.resident < most.resident + kResidentSlack, "the process grows");
        }
      }
      const std::string unrecorded = ground.Unrecorded();
      findings_.Expect(unrecorded.empty(), unrecorded);
    }
    const http::FrameCounts frames = http::CountFrames();
    std::printf("frames: %zu made, %zu freed, %zu kept\n", static_cast<size_t>(frames.made), static_cast<size_t>(frames.freed),
                static_cast<size_t>(frames.kept));
    findings_.Expect(frames.made == frames.freed + frames.kept, "coroutines' frames are lost");
    for (const auto& [name, count] : wrong_) {
      findings_.Expect(false, std::string(name) + ": " + std::to_string(count) + " visits went wrong");
    }
    return findings_.failed() ? 1 : 0;
  }

 private:
  static constexpr int kWarmWindows = 2;

  // One of each kind, so that what is made at the first use is there.
  void Warm(Ground& ground) {
    for (const VisitKind& kind : VisitKinds()) {
      if (!kind.visit(ground, random_)) ++wrong_[kind.name];
    }
    const bool empty = Await([&ground] { return ground.Inside().empty(); });
    findings_.Expect(empty, "requests stay: " + ground.Inside());
    // Connections to instances are closed when they have been idle.
    size_t last = 0;
    int same = 0;
    Await([&last, &same] {
      const size_t now = OpenDescriptors();
      same = now == last ? same + 1 : 0;
      last = now;
      return same == 300;
    });
  }

  void RunWindow(Ground& ground, Nanos length) {
    std::atomic<bool> over = false;
    std::vector<std::thread> clients;
    std::vector<std::map<std::string_view, size_t>> wrong(options_.clients);
    std::atomic<size_t> visits = 0;
    for (uint32_t i = 0; i < options_.clients; ++i) {
      clients.emplace_back([&ground, &over, &visits, &wrong = wrong[i], seed = random_()] {
        Random random(seed);
        while (!over) {
          const VisitKind& kind = VisitKinds()[random() % VisitKinds().size()];
          if (!kind.visit(ground, random)) ++wrong[kind.name];
          ++visits;
        }
      });
    }
    const TimePoint end = RealClock().Now() + length;
    while (RealClock().Now() < end) {
      ground.Change();
      ground.RestoreEjected();
      poll(nullptr, 0, 3);
    }
    ground.Settle();  // whoever waits for the cold one has his answer
    over = true;
    std::atomic<bool> gone = false;
    std::thread joins([&clients, &gone] {
      for (std::thread& client : clients) client.join();
      gone = true;
    });
    while (!gone) {
      ground.RestoreEjected();
      poll(nullptr, 0, 3);
    }
    joins.join();
    for (const auto& one : wrong) {
      for (const auto& [name, count] : one) wrong_[name] += count;
    }
    visits_ += visits;
  }

  // All that the window took is given back.
  void Settle(Ground& ground, size_t descriptors) {
    const bool empty = Await([&ground] { return ground.Inside().empty(); });
    findings_.Expect(empty, "requests stay: " + ground.Inside());
    const bool closed = Await([descriptors] { return OpenDescriptors() <= descriptors; });
    findings_.Expect(closed, "descriptors stay open: " + std::to_string(OpenDescriptors()) + ", of " +
                                 std::to_string(descriptors) + " before");
  }

  const Options options_;
  Random random_;
  Findings findings_;
  std::map<std::string_view, size_t> wrong_;
  size_t visits_ = 0;
};

}  // namespace
}  // namespace updraft::activator

int main(int argc, char** argv) {
  updraft::activator::Options options;
  CLI::App app("Mixed load on the activator's workers: nothing is lost, and nothing grows");
  app.add_option("--seconds", options.seconds, "How long")->capture_default_str();
  app.add_option("--seed", options.seed, "Of the clients' chance")->capture_default_str();
  app.add_option("--clients", options.clients, "Threads that visit")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return updraft::activator::Soak(options).Run();
}

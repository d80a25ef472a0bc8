#include "core/base/loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "core/base/check.h"

namespace updraft {
namespace {

constexpr int kEventsPerTurnMax = 256;
constexpr uint32_t kFullTurnsMax = 64;
constexpr Nanos kWaitMax = std::chrono::hours(1);

void NameThisThread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());  // the kernel's limit
}

}  // namespace

Loop::Loop(const Clock& clock)
    : clock_(clock),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      now_(clock_.Now()),
      wheel_(now_) {
  UPDRAFT_CHECK(epoll_fd_ >= 0 && wake_fd_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  UPDRAFT_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0);
}

Loop::~Loop() {
  close(wake_fd_);
  close(epoll_fd_);
}

void Loop::Run() {
  std::array<epoll_event, kEventsPerTurnMax> events;  // NOLINT: the kernel fills it
  while (true) {
    const int count = WaitForEvents(events.data(), kEventsPerTurnMax);
    UPDRAFT_CHECK(count >= 0 || errno == EINTR);
    now_ = clock_.Now();
    removed_in_turn_.clear();
    bool woken = false;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      auto* observer = static_cast<FdObserver*>(event.data.ptr);
      if (observer == nullptr) {
        woken = true;
      } else if (std::ranges::find(removed_in_turn_, observer) == removed_in_turn_.end()) {
        observer->OnReady(event.events);
      }
    }
    if (woken) RunPosted();
    // After a pause of the machine much is ready, and much is due: what came before its time was over is seen first.
    if (count < kEventsPerTurnMax || ++full_turns_ == kFullTurnsMax) {
      full_turns_ = 0;
      RunTimers();
    }
    RunEndOfTurn();
    if (woken) {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
    }
  }
}

void Loop::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  eventfd_write(wake_fd_, 1);
}

void Loop::Post(std::function<void()> callback) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    wake = posted_.empty();
    posted_.push_back(std::move(callback));
  }
  if (wake) eventfd_write(wake_fd_, 1);
}

Loop::TimerId Loop::At(TimePoint when, std::function<void()> callback) {
  const TimerId id = next_timer_++;
  timers_.emplace(std::pair(when, id), std::move(callback));
  timer_times_.emplace(id, when);
  return id;
}

void Loop::Cancel(TimerId timer) {
  const auto it = timer_times_.find(timer);
  if (it == timer_times_.end()) return;
  timers_.erase({it->second, timer});
  timer_times_.erase(it);
}

void Loop::Defer(Deferred* work) {
  if (!work->linked()) work->AppendTo(deferred_);
}

void Loop::RunEndOfTurn() {
  while (deferred_.linked() || !end_of_turn_.empty()) {
    while (deferred_.linked()) {
      auto* work = static_cast<Deferred*>(deferred_.next);
      work->Unlink();
      work->Run();
    }
    const auto callbacks = std::exchange(end_of_turn_, {});
    for (const auto& callback : callbacks) callback();
  }
}

void Loop::Watch(int fd, uint32_t events, FdObserver* observer) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = observer;
  UPDRAFT_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0);
}

void Loop::Modify(int fd, uint32_t events, FdObserver* observer) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = observer;
  UPDRAFT_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void Loop::Unwatch(int fd, FdObserver* observer) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  removed_in_turn_.push_back(observer);
}

void Loop::RunPosted() {
  eventfd_t ignored = 0;
  eventfd_read(wake_fd_, &ignored);
  std::vector<std::function<void()>> callbacks;
  {
    const std::lock_guard lock(mutex_);
    callbacks.swap(posted_);
  }
  for (auto& callback : callbacks) {
    callback();
    callback = nullptr;  // what it captured is released in order, before the next one runs
  }
}

void Loop::RunTimers() {
  while (!timers_.empty() && timers_.begin()->first.first <= now_) {
    auto node = timers_.extract(timers_.begin());
    timer_times_.erase(node.key().second);
    node.mapped()();
  }
  wheel_.Advance(now_);
}

int Loop::WaitForEvents(epoll_event* events, int events_max) {
  const std::optional<Nanos> wait = TimeToWait();
  if (nanosecond_wait_) {
    timespec limit{};
    if (wait) {
      limit.tv_sec = wait->count() / 1'000'000'000;
      limit.tv_nsec = wait->count() % 1'000'000'000;
    }
    const int count = epoll_pwait2(epoll_fd_, events, events_max, wait ? &limit : nullptr, nullptr);
    if (count >= 0 || errno != ENOSYS) return count;
    nanosecond_wait_ = false;  // Linux before 5.11
  }
  // Rounded up: waking early would only spin.
  const int millis = wait ? static_cast<int>((wait->count() + 999'999) / 1'000'000) : -1;
  return epoll_wait(epoll_fd_, events, events_max, millis);
}

std::optional<Nanos> Loop::TimeToWait() const {
  if (!end_of_turn_.empty() || deferred_.linked()) return Nanos(0);
  std::optional<TimePoint> next = wheel_.Next();
  if (!timers_.empty())
    next = std::min(next.value_or(TimePoint::max()), timers_.begin()->first.first);
  if (!next) return std::nullopt;
  return std::clamp(*next - clock_.Now(), Nanos(0), kWaitMax);
}

LoopThread::LoopThread(std::string name, const Clock& clock)
    : loop_(clock), thread_([this, name = std::move(name)] {
        NameThisThread(name);
        loop_.Run();
      }) {}

LoopThread::~LoopThread() { Stop(); }

void LoopThread::Stop() {
  if (!thread_.joinable()) return;
  loop_.Stop();
  thread_.join();
}

NamedThread::NamedThread(std::string name, std::function<void()> body)
    : thread_([name = std::move(name), body = std::move(body)] {
        NameThisThread(name);
        body();
      }) {}

NamedThread::~NamedThread() {
  if (thread_.joinable()) thread_.join();
}

void BlockTerminationSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

int WaitForTerminationSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  int received = 0;
  while (sigwait(&set, &received) != 0) {
  }
  return received;
}

}  // namespace updraft

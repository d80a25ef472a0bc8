// The agent's ends of the fifos that a process has for its standard streams. Nothing is read ahead of whoever takes
// it, nothing more is taken than the process has read: who is slow holds up the other side. Loop thread only.
#pragma once

#include <functional>
#include <string>

#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace updraft::node_agent {

// What a process writes.
class FifoReader final : private FdObserver {
 public:
  // `changed`: there may be something to read, or the end has come. Runs on the loop, not from within a call.
  FifoReader(Loop& loop, std::function<void()> changed) : loop_(loop), changed_(std::move(changed)) {}
  ~FifoReader() { Close(); }

  // Makes the fifo. It has no end before WriterIsThere().
  Status Open(const std::string& path);
  void WriterIsThere() { keeper_.Reset(); }

  // What is there, at most 32 kB; empty: nothing now. Then changed() follows if there is ever more.
  std::string Read();
  // All writers are gone and everything was read; also when it was never opened.
  bool at_end() const { return !fd_; }
  // A Read() may have something.
  bool readable() const { return readable_; }
  // What is not read by now is lost.
  void Close();

 private:
  void OnReady(uint32_t events) override;

  Loop& loop_;
  const std::function<void()> changed_;
  UniqueFd fd_;
  UniqueFd keeper_;  // a writer that never writes
  bool readable_ = false;
};

// What a process reads.
class FifoWriter final : private FdObserver {
 public:
  // `changed`: idle() again.
  FifoWriter(Loop& loop, std::function<void()> changed) : loop_(loop), changed_(std::move(changed)) {}
  ~FifoWriter() { Close(); }

  Status Open(const std::string& path);
  // REQUIRES: idle(). Dropped when it is not open.
  void Write(std::string data);
  // All that was written is in the fifo.
  bool idle() const { return rest_.empty(); }
  void Close();

 private:
  void OnReady(uint32_t events) override;
  void Flush();

  Loop& loop_;
  const std::function<void()> changed_;
  UniqueFd fd_;
  std::string rest_;
};

}  // namespace updraft::node_agent

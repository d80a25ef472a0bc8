#include "node-agent/logs/container_log.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "node-agent/logs/cri_record.h"
#include "node-agent/logs/line_splitter.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kBytesPerTurn = 64 * 1024;
// What a container can write while no agent reads: more than the kernel's 64 kB, so that it is not
// held up by an agent that restarts.
constexpr int kFifoBytes = 1 << 20;
constexpr int kDrainReadsMax = 2 * kFifoBytes / static_cast<int>(kBytesPerTurn);

Status MakeFifo(const std::string& path) {
  std::error_code ignored;  // mkfifo() tells
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  if (mkfifo(path.c_str(), 0600) == 0) return Ok();
  struct stat status {};
  if (errno == EEXIST && stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode)) return Ok();
  return Error{Code::kInternal, "mkfifo " + path + ": " + strerror(errno)};
}

}  // namespace

Status MakeLogFifos(const LogFifos& fifos) {
  if (Status made = MakeFifo(fifos.stdout_path); !made) return made;
  return MakeFifo(fifos.stderr_path);
}

// One of the two FIFOs.
class ContainerLog::Source final : private FdObserver {
 public:
  Source(ContainerLog& log, LogSource source)
      : log_(log), source_(source), splitter_(log.options_.record_bytes_max) {}
  ~Source() { Close(); }

  Status Open(const std::string& path) {
    fd_.Reset(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!fd_) return Error{Code::kInternal, "open " + path + ": " + strerror(errno)};
    fcntl(fd_.get(), F_SETPIPE_SZ,
          kFifoBytes);  // fails beyond an unprivileged user's allowance: smaller will do
    log_.loop_.Watch(fd_.get(), EPOLLIN, this);
    return Ok();
  }

  bool open_now() const { return static_cast<bool>(fd_); }
  bool unfinished() const { return splitter_.holds(); }

  // The beginning of a line that has had no end for a while.
  void WriteUnfinished() {
    std::string records;
    splitter_.Flush(false, RecordInto(records));
    log_.Write(records);
  }

  // Takes what is there and closes, unless a writer is still there and `closing` waits for it.
  enum class Closing { kWhenWriterIsGone, kNow };
  void Drain(Closing closing) {
    if (!fd_) return;
    ssize_t got = 1;
    for (int reads = 0; got > 0 && reads < kDrainReadsMax; ++reads) got = ReadOnce();
    if (got == 0 || closing == Closing::kNow) EndOfStream();
  }

 private:
  struct Recorder {
    std::string& records;
    LogSource source;
    std::string time;
    void operator()(std::string_view content, bool ends_line) const {
      AppendRecord(records, time, source, ends_line, content);
    }
  };
  Recorder RecordInto(std::string& records) const {
    return {records, source_, FormatLogTime(log_.clock_.Wall())};
  }

  void OnReady(uint32_t /*events*/) override {
    const ssize_t got = ReadOnce();
    // Before the first writer has come nothing is told, so this is the last one's end.
    if (got == 0) {
      EndOfStream();
      log_.OnSourceClosed();  // last: the log may be gone afterwards
    }
  }

  // What read() returned; -1: nothing now.
  ssize_t ReadOnce() {
    std::array<char, kBytesPerTurn> bytes;
    const ssize_t got = read(fd_.get(), bytes.data(), bytes.size());
    if (got <= 0) return got;
    std::string records;
    splitter_.Feed({bytes.data(), static_cast<size_t>(got)}, RecordInto(records));
    log_.Write(records);
    if (splitter_.holds()) log_.ScheduleUnfinished();
    return got;
  }

  void EndOfStream() {
    std::string records;
    splitter_.Flush(true, RecordInto(records));
    log_.Write(records);
    Close();
  }

  void Close() {
    if (!fd_) return;
    log_.loop_.Unwatch(fd_.get(), this);
    fd_.Reset();
  }

  ContainerLog& log_;
  const LogSource source_;
  LineSplitter splitter_;
  UniqueFd fd_;
};

ContainerLog::ContainerLog(Loop& loop, const Clock& clock, ContainerLogOptions options,
                           LogCounters& counters, std::string log_path,
                           std::function<void()> changed)
    : loop_(loop),
      clock_(clock),
      options_(options),
      file_(std::move(log_path), options.file, counters),
      changed_(std::move(changed)),
      stdout_(std::make_unique<Source>(*this, LogSource::kStdout)),
      stderr_(std::make_unique<Source>(*this, LogSource::kStderr)) {}

ContainerLog::~ContainerLog() {
  loop_.Cancel(unfinished_timer_);
  loop_.Cancel(finish_timer_);
  // An agent that is told to stop must not keep what it has taken out of a FIFO.
  for (Source* source : {stdout_.get(), stderr_.get()}) {
    if (source->unfinished()) source->WriteUnfinished();
  }
}

Status ContainerLog::Open(const LogFifos& fifos) {
  fifos_ = fifos;
  file_.Append("");  // a container that says nothing has an empty log, not none
  if (Status opened = stdout_->Open(fifos.stdout_path); !opened) return opened;
  return stderr_->Open(fifos.stderr_path);
}

void ContainerLog::Write(const std::string& records) {
  if (records.empty()) return;
  file_.Append(records);
  changed_();
}

void ContainerLog::ScheduleUnfinished() {
  if (unfinished_timer_ != 0) return;
  unfinished_timer_ = loop_.After(options_.unfinished_line_after, [this] {
    unfinished_timer_ = 0;
    for (Source* source : {stdout_.get(), stderr_.get()}) {
      if (source->unfinished()) source->WriteUnfinished();
    }
  });
}

void ContainerLog::OnSourceClosed() {
  if (finished_ && !stdout_->open_now() && !stderr_->open_now()) FinishNow();
}

void ContainerLog::Finish(Nanos patience, std::function<void()> done) {
  finished_ = std::move(done);
  stdout_->Drain(Source::Closing::kWhenWriterIsGone);
  stderr_->Drain(Source::Closing::kWhenWriterIsGone);
  const bool over = !stdout_->open_now() && !stderr_->open_now();
  finish_timer_ = loop_.After(over ? Nanos(0) : patience, [this] {
    finish_timer_ = 0;
    FinishNow();
  });
}

void ContainerLog::FinishNow() {
  loop_.Cancel(std::exchange(finish_timer_, 0));
  stdout_->Drain(Source::Closing::kNow);
  stderr_->Drain(Source::Closing::kNow);
  unlink(fifos_.stdout_path.c_str());
  unlink(fifos_.stderr_path.c_str());
  const std::function<void()> done = std::exchange(finished_, nullptr);
  done();  // last: it may destroy the log
}

}  // namespace updraft::node_agent

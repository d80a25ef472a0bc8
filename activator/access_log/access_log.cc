#include "activator/access_log/access_log.h"

#include <algorithm>
#include <future>
#include <utility>

#include "core/base/log.h"

namespace updraft::activator {
namespace {

// Lines gather so long: one write carries many. At 30,000 lines a second of a worker they fill a
// quarter of its memory.
constexpr Nanos kGather = Millis(20);

}  // namespace

AccessLogSink::AccessLogSink(AccessLog& log, uint32_t worker, size_t bytes)
    : log_(log), format_(log.options_.format), ring_(bytes), random_(0x9e3779b97f4a7c15 * (worker + 1)) {}

bool AccessLogSink::Samples() {
  if (format_ == nullptr) return false;
  if (log_.options_.sample >= 1) return true;
  // xorshift64: which requests it are need not be secret.
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return static_cast<double>(random_ >> 11) * 0x1p-53 < log_.options_.sample;
}

void AccessLogSink::Write(const LogEntry& entry) {
  if (format_ == nullptr) return;  // since it was sampled
  line_.clear();
  format_->Append(entry, line_);
  if (!ring_.Write(line_)) {
    dropped_.Add();
    return;
  }
  written_.Add();
  log_.Wake();
}

Result<std::unique_ptr<AccessLog>> AccessLog::Open(AccessLogOptions options) {
  Result<LogFile> file = LogFile::Open(options.path);
  if (!file) return Context("access log", file.error());
  return std::unique_ptr<AccessLog>(new AccessLog(std::move(options), *std::move(file)));
}

AccessLog::AccessLog(AccessLogOptions options, LogFile file) : options_(std::move(options)), file_(std::move(file)) {
  for (uint32_t worker = 0; worker < options_.workers; ++worker) {
    sinks_.push_back(std::make_unique<AccessLogSink>(*this, worker, options_.bytes_per_worker));
  }
  thread_ = std::make_unique<LoopThread>("access-log");
}

AccessLog::~AccessLog() {
  std::promise<void> written;
  thread_->loop().Post([this, &written] {
    WriteOut();
    written.set_value();
  });
  written.get_future().wait();
  thread_->Stop();
}

void AccessLog::Wake() {
  // Its reader clears the flag and looks afterwards: what was written before is seen.
  if (woken_.load(std::memory_order_seq_cst) || woken_.exchange(true, std::memory_order_seq_cst)) return;
  thread_->loop().Post([this] { thread_->loop().After(kGather, [this] { WriteOut(); }); });
}

void AccessLog::WriteOut() {
  woken_.store(false, std::memory_order_seq_cst);
  Status status = file_.FollowPath();
  for (const auto& sink : sinks_) {
    for (const std::string_view text : sink->ring_.Readable()) {
      const Status written = file_.Write(text);
      if (!written) {
        lost_.Add(static_cast<uint64_t>(std::ranges::count(text, '\n')));
        status = written;
      }
      sink->ring_.Consume(text.size());
    }
  }
  if (!status && !complained_) Log(Level::kWarn, "access_log_not_written", {{"error", status.error().message}});
  complained_ = !status;
}

uint64_t AccessLog::written() const {
  uint64_t sum = 0;
  for (const auto& sink : sinks_) sum += sink->written();
  return sum - std::min(sum, lost_.value());
}

uint64_t AccessLog::dropped() const {
  uint64_t sum = lost_.value();
  for (const auto& sink : sinks_) sum += sink->dropped();
  return sum;
}

}  // namespace updraft::activator

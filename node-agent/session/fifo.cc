#include "node-agent/session/fifo.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace updraft::node_agent {
namespace {

constexpr size_t kReadBytes = 32 << 10;

// `doing` is put before what errno says.
Error ErrnoError(const std::string& doing) {
  return {Code::kInternal, doing + ": " + std::strerror(errno)};
}

}  // namespace

Status FifoReader::Open(const std::string& path) {
  if (mkfifo(path.c_str(), 0600) != 0) return ErrnoError("mkfifo " + path);
  fd_.Reset(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd_) return ErrnoError("open " + path);
  keeper_.Reset(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!keeper_) return ErrnoError("open " + path);
  loop_.Watch(fd_.get(), EPOLLIN | EPOLLET, this);
  return Ok();
}

void FifoReader::OnReady(uint32_t) {
  readable_ = true;
  changed_();
}

std::string FifoReader::Read() {
  if (!readable_ || !fd_) return "";
  std::string data(kReadBytes, '\0');
  const ssize_t got = read(fd_.get(), data.data(), data.size());
  if (got > 0) {
    data.resize(static_cast<size_t>(got));
    return data;
  }
  readable_ = false;
  if (got == 0) Close();
  return "";
}

void FifoReader::Close() {
  keeper_.Reset();
  readable_ = false;
  if (!fd_) return;
  loop_.Unwatch(fd_.get(), this);
  fd_.Reset();
}

Status FifoWriter::Open(const std::string& path) {
  if (mkfifo(path.c_str(), 0600) != 0) return ErrnoError("mkfifo " + path);
  // For reading as well: it can then be opened before the other side has.
  fd_.Reset(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd_) return ErrnoError("open " + path);
  loop_.Watch(fd_.get(), EPOLLOUT | EPOLLET, this);
  return Ok();
}

void FifoWriter::Write(std::string data) {
  if (!fd_) return;
  rest_ = std::move(data);
  Flush();
}

void FifoWriter::Flush() {
  while (!rest_.empty()) {
    const ssize_t wrote = write(fd_.get(), rest_.data(), rest_.size());
    if (wrote < 0) return;
    rest_.erase(0, static_cast<size_t>(wrote));
  }
}

void FifoWriter::OnReady(uint32_t) {
  if (rest_.empty()) return;
  Flush();
  if (rest_.empty()) changed_();
}

void FifoWriter::Close() {
  rest_.clear();
  if (!fd_) return;
  loop_.Unwatch(fd_.get(), this);
  fd_.Reset();
}

}  // namespace updraft::node_agent

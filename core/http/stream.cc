#include "core/http/stream.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace updraft::http {
namespace {

constexpr size_t kCopiedBytesMax = 16384;
constexpr size_t kSkippedBytesMax = 4096;
constexpr uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

// A shortage of ours says nothing about the peer.
bool IsShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL;
}

Error SocketError(int error) {
  const Code code = IsShortage(error) ? Code::kResourceExhausted : Code::kUnavailable;
  return {code, strerror(error)};
}  // NOLINT: glibc's is safe for threads

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// The kernel takes one piece for less than several: small ones are put together first.
ssize_t SendPieces(int fd, std::span<const iovec> pieces) {
  if (pieces.size() == 1) return send(fd, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
  size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  if (total > kCopiedBytesMax) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());  // NOLINT: sendmsg only reads it
    message.msg_iovlen = pieces.size();
    return sendmsg(fd, &message, MSG_NOSIGNAL);
  }
  char bytes[kCopiedBytesMax];
  size_t size = 0;
  for (const iovec& piece : pieces) {
    std::memcpy(bytes + size, piece.iov_base, piece.iov_len);
    size += piece.iov_len;
  }
  return send(fd, bytes, size, MSG_NOSIGNAL);
}

}  // namespace

Stream::Stream(Loop& loop, UniqueFd socket, Socket from)
    : loop_(loop),
      socket_(std::move(socket)),
      readable_(from == Socket::kAccepted),
      writable_(from == Socket::kAccepted),
      reader_(loop.timers(), *this),
      writer_(loop.timers(), *this),
      wake_up_(*this) {
  if (from == Socket::kConnecting) Watch();
}

Stream::~Stream() {
  if (watched_) loop_.Unwatch(socket_.get(), this);
}

void Stream::Watch() {
  watched_ = true;
  loop_.Watch(socket_.get(), kEvents, this);
}

void Stream::set_hangup_observer(HangupObserver* observer) {
  hangup_observer_ = observer;
  if (!watched_ && observer != nullptr) reader_.Set(loop_.Now() + kUnwatchedMax);
}

IoResult Stream::Read(std::span<char> into) { return Receive(into, 0); }

IoResult Stream::Peek(std::span<char> into) { return Receive(into, MSG_PEEK); }

void Stream::Skip(size_t bytes) {
  char skipped[kSkippedBytesMax];
  (void)Receive(std::span(skipped).first(bytes), 0);
  readable_ = true;  // there may be more behind
}

IoResult Stream::Receive(std::span<char> into, int flags) {
  const ssize_t count = recv(socket_.get(), into.data(), into.size(), flags);
  if (count > 0) {
    // Less than asked for: the socket is empty, and the next edge will say so. After a hang-up no
    // more edges come.
    if (static_cast<size_t>(count) < into.size() && !hung_up_) {
      readable_ = false;
      reads_in_a_row_ = 0;
    }
    return {static_cast<size_t>(count), IoState::kOk};
  }
  if (count == 0) return {0, into.empty() ? IoState::kOk : IoState::kEnd};
  if (WouldBlock(errno)) {
    readable_ = false;
    reads_in_a_row_ = 0;
    return {0, IoState::kBlocked};
  }
  broken_ = true;
  return {0, IoState::kBroken};
}

// Less than was asked for does not mean that the socket is empty: the pipe may be full.
IoResult Stream::SpliceInto(int pipe, uint64_t bytes_max) {
  const ssize_t count = splice(socket_.get(), nullptr, pipe, nullptr, bytes_max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (count > 0) return {static_cast<size_t>(count), IoState::kOk};
  if (count == 0) return {0, IoState::kEnd};
  if (WouldBlock(errno)) {
    readable_ = false;
    reads_in_a_row_ = 0;
    return {0, IoState::kBlocked};
  }
  broken_ = true;
  return {0, IoState::kBroken};
}

IoResult Stream::SpliceFrom(int pipe, uint64_t bytes_max) {
  return AfterSending(splice(pipe, nullptr, socket_.get(), nullptr, bytes_max, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
}

IoResult Stream::Write(std::span<const iovec> pieces) {
  return AfterSending(SendPieces(socket_.get(), pieces));
}

IoResult Stream::SendNow(std::span<const char> bytes) {
  return AfterSending(send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

IoResult Stream::AfterSending(ssize_t count) {
  if (count >= 0) return {static_cast<size_t>(count), IoState::kOk};
  if (WouldBlock(errno)) {
    writable_ = false;
    return {0, IoState::kBlocked};
  }
  broken_ = true;
  return {0, IoState::kBroken};
}

bool Stream::quiet() {
  if (hung_up_ || broken_) return false;
  if (!readable_) return true;
  char byte = 0;
  if (recv(socket_.get(), &byte, 1, MSG_PEEK) >= 0 || !WouldBlock(errno)) return false;
  readable_ = false;
  return true;
}

void Stream::FinishWriting() { shutdown(socket_.get(), SHUT_WR); }

void Stream::ResetOnClose() {
  resets_on_close_ = true;
  const linger option{1, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &option, sizeof option);
}

void Stream::Interrupt() {
  interrupted_ = true;
  loop_.Defer(&wake_up_);
}

void Stream::OnReady(uint32_t events) {
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) broken_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 && !hung_up_) {
    hung_up_ = true;
    hangup_due_ = true;
  }
  RunDue();
}

// One thing at a time, because what it resumes may destroy the stream; the rest at the end of the
// turn.
void Stream::RunDue() {
  const bool hangup = hangup_due_ && hangup_observer_ != nullptr;
  const bool reader = reader_.handle && (readable_ || interrupted_);
  const bool writer = writer_.handle && (writable_ || interrupted_);
  if (int{hangup} + int{reader} + int{writer} > 1) loop_.Defer(&wake_up_);
  const WaitEnd end = interrupted_ ? WaitEnd::kInterrupted : WaitEnd::kReady;
  if (hangup) {
    hangup_due_ = false;
    hangup_observer_->OnHangup();
  } else if (reader) {
    Wake(reader_, end);
  } else if (writer) {
    Wake(writer_, end);
  }
}

// The timer stays: the next wait's deadline is most often a later one, which costs less than to begin
// anew.
void Stream::Wake(Waiting& waiting, WaitEnd end) {
  waiting.end = end;
  std::exchange(waiting.handle, {}).resume();
}

void Stream::Waiting::OnTimer() {
  if (handle) {
    Wake(*this, yields ? WaitEnd::kReady : WaitEnd::kTimeout);
  } else if (!stream.watched_) {
    stream.Watch();
  }
}

Result<UniqueFd> StartConnecting(const SocketAddress& address) {
  UniqueFd fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return SocketError(errno);
  if (address.family() != AF_UNIX) {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (connect(fd.get(), &address.any, address.size) != 0 && errno != EINPROGRESS)
    return SocketError(errno);
  return fd;
}

Status ConnectOutcome(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return SocketError(error);
  return Ok();
}

}  // namespace updraft::http

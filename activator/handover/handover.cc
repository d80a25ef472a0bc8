#include "activator/handover/handover.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "activator/handover/socket_passing.h"
#include "core/base/log.h"
#include "core/http/address.h"

namespace updraft::activator {
namespace {

constexpr timeval kPatience = {5, 0};
constexpr size_t kCandidatesMax = 4;
constexpr char kRelieved = 'r';

Error SocketError(const std::string& path) {
  return {Code::kUnavailable, path + ": " + std::generic_category().message(errno)};
}

// Whoever may take the sockets could as well have opened them: the same user, or root.
bool IsTrusted(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == geteuid() || peer.uid == 0;
}

}  // namespace

Result<Predecessor> Predecessor::Meet(const std::string& path) {
  const Result<http::SocketAddress> address = http::ParseAddress("unix:" + path);
  if (!address) return address.error();
  Predecessor predecessor;
  predecessor.connection_ = UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  const int connection = predecessor.connection_.get();
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (connect(connection, &address->any, address->size) != 0) {
    const bool nobody = errno == ENOENT || errno == ECONNREFUSED;
    return nobody ? Error{Code::kNotFound, "nobody serves at " + path} : SocketError(path);
  }
  Result<PassedSockets> passed = ReceiveSockets(connection);
  if (!passed) return passed.error();
  predecessor.generation_ = passed->generation;
  predecessor.sockets_ = std::move((*std::move(passed)).sockets);
  return predecessor;
}

void Predecessor::Relieve() { (void)send(connection_.get(), &kRelieved, 1, MSG_NOSIGNAL); }

// One that has our sockets, and has not yet said that it serves.
class Succession::Candidate final : public FdObserver {
 public:
  Candidate(Succession& owner, UniqueFd connection) : owner_(owner), connection_(std::move(connection)) {
    owner_.loop_.Watch(connection_.get(), EPOLLIN, this);
  }
  ~Candidate() { owner_.loop_.Unwatch(connection_.get(), this); }

  void OnReady(uint32_t) override { owner_.OnWord(*this); }
  int connection() const { return connection_.get(); }

 private:
  Succession& owner_;
  UniqueFd connection_;
};

Result<std::unique_ptr<Succession>> Succession::Await(Loop& loop, const std::string& path, uint32_t generation,
                                                      Events events) {
  const Result<http::SocketAddress> address = http::ParseAddress("unix:" + path);
  if (!address) return address.error();
  UniqueFd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener) return SocketError(path);
  unlink(path.c_str());
  if (bind(listener.get(), &address->any, address->size) != 0 || listen(listener.get(), kCandidatesMax) != 0) {
    return SocketError(path);
  }
  return std::unique_ptr<Succession>(new Succession(loop, std::move(listener), generation, std::move(events)));
}

Succession::Succession(Loop& loop, UniqueFd listener, uint32_t generation, Events events)
    : loop_(loop), listener_(std::move(listener)), generation_(generation), events_(std::move(events)) {
  loop_.Watch(listener_.get(), EPOLLIN, this);
}

Succession::~Succession() {
  candidates_.clear();
  loop_.Unwatch(listener_.get(), this);
}

void Succession::OnReady(uint32_t) {
  UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!connection || relieved_ || candidates_.size() == kCandidatesMax || !IsTrusted(connection.get())) return;
  const Status sent = SendSockets(connection.get(), generation_, events_.sockets());
  if (!sent) {
    Log(Level::kWarn, "handover_failed", {{"error", sent.error().message}});
    return;
  }
  candidates_.push_back(std::make_unique<Candidate>(*this, std::move(connection)));
}

void Succession::OnWord(Candidate& candidate) {
  char word = 0;
  const bool relieved = recv(candidate.connection(), &word, 1, 0) == 1 && word == kRelieved;
  std::erase_if(candidates_, [&candidate](const auto& one) { return one.get() == &candidate; });
  if (!relieved || std::exchange(relieved_, true)) return;
  events_.relieved();
}

}  // namespace updraft::activator

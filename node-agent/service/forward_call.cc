#include "node-agent/service/forward_call.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/grpc_status.h"
#include "node-agent/service/running_container.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kReadBytes = 32 << 10;
constexpr Nanos kConnectPatience = Seconds(10);

// The pinned network namespace in a container's OCI spec; empty: it has none of its own.
std::string NetworkNamespaceOf(const std::string& oci_spec) {
  const nlohmann::json spec = nlohmann::json::parse(oci_spec, nullptr, false);
  if (!spec.is_object()) return "";
  const nlohmann::json linux = spec.value("linux", nlohmann::json::object());
  for (const nlohmann::json& entry : linux.value("namespaces", nlohmann::json::array())) {
    if (entry.value("type", "") == "network") return entry.value("path", "");
  }
  return "";
}

}  // namespace

void ForwardCall::OnMessage(v1::PortForwardInput message) {
  if (message.has_start() != (state_ == State::kNew)) {
    return End({grpc::StatusCode::INVALID_ARGUMENT, "the first message says where to connect, and no other does"});
  }
  if (message.has_start()) return Begin(message.start());
  if (message.has_data() && !input_ended_) rest_ = std::move(*message.mutable_data());
  if (message.end() && !std::exchange(input_ended_, true)) shutdown(socket_.get(), SHUT_WR);
  Pump();
}

void ForwardCall::Begin(const v1::PortForwardStart& start) {
  state_ = State::kConnecting;
  const Result<std::string> container = RunningContainer(host_, start.instance_id(), "");
  if (!container) return End(ToGrpc(container.error()));
  if (start.port() == 0 || start.port() > 65535) return End({grpc::StatusCode::INVALID_ARGUMENT, "no such port"});
  port_ = static_cast<uint16_t>(start.port());
  timer_ = loop().After(kConnectPatience, [this] {
    timer_ = 0;
    End({grpc::StatusCode::DEADLINE_EXCEEDED, "the instance does not accept connections"});
  });
  runtime_.ReadContainer(*container,
                         [self = shared_from_this(), this](const Result<ContainerRecord>& record) { OnRecord(record); });
}

void ForwardCall::OnRecord(const Result<ContainerRecord>& record) {
  if (ended()) return;
  if (!record) return End(ToGrpc(record.error()));
  namespace_path_ = NetworkNamespaceOf(record->oci_spec);
  if (namespace_path_.empty()) return End({grpc::StatusCode::INTERNAL, "the instance has no network of its own"});
  Connect(Loopback::kIpv4);
}

void ForwardCall::Connect(Loopback address) {
  address_ = address;
  Result<UniqueFd> socket = StartConnectingInside(namespace_path_, port_, address);
  if (!socket) return OnFailed(socket.error());
  socket_ = std::move(*socket);
  loop().Watch(socket_.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, this);
}

// Some listen on IPv6 alone.
void ForwardCall::OnFailed(const Error& why) {
  if (socket_) loop().Unwatch(socket_.get(), this);
  socket_.Reset();
  if (address_ == Loopback::kIpv4 && why.code == Code::kUnavailable) return Connect(Loopback::kIpv6);
  End(ToGrpc(why));
}

void ForwardCall::OnReady(uint32_t events) {
  if (state_ == State::kConnecting) {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
    const Status connected = ConnectOutcome(socket_.get(), port_);
    if (!connected) return OnFailed(connected.error());
    loop().Cancel(std::exchange(timer_, 0));
    state_ = State::kConnected;
    v1::PortForwardOutput out;
    out.set_connected(true);
    Write(std::move(out));
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  Pump();
}

void ForwardCall::Pump() {
  if (ended() || state_ != State::kConnected) return;
  PumpInput();
  if (!ended() && !writing()) PumpOutput();
}

void ForwardCall::PumpInput() {
  while (!rest_.empty()) {
    const ssize_t sent = send(socket_.get(), rest_.data(), rest_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) {
      // The instance reads no more; it may still have something to say.
      input_ended_ = true;
      rest_.clear();
    } else {
      rest_.erase(0, static_cast<size_t>(sent));
    }
  }
  ReadNext();
}

void ForwardCall::PumpOutput() {
  if (output_ended_ && input_ended_) return End(grpc::Status::OK);
  if (output_ended_ || !readable_) return;
  std::string data(kReadBytes, '\0');
  const ssize_t got = recv(socket_.get(), data.data(), data.size(), 0);
  if (got < 0 && errno == EAGAIN) {
    readable_ = false;
    return;
  }
  if (got < 0) return End({grpc::StatusCode::UNAVAILABLE, std::string("read: ") + std::strerror(errno)});
  v1::PortForwardOutput out;
  if (got > 0) {
    data.resize(static_cast<size_t>(got));
    out.set_data(std::move(data));
  } else {
    output_ended_ = true;
    out.set_end(true);
  }
  Write(std::move(out));
}

void ForwardCall::Close() {
  loop().Cancel(std::exchange(timer_, 0));
  if (!socket_) return;
  loop().Unwatch(socket_.get(), this);
  socket_.Reset();
}

}  // namespace updraft::node_agent

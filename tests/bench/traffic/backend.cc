// An instance for benchmarks that costs as little as it can: "/N" is answered with N bytes, over HTTP/1.1 or HTTP/2 with
// prior knowledge on one port. Over HTTP/2 a request with "te: trailers" is answered as gRPC does, with grpc-status in
// trailers.
//
//   updraft_bench_backend PORT
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr size_t kReadBytes = 65536;
constexpr size_t kBodyBytesMax = 64 << 20;

size_t SizeOf(std::string_view path) {
  size_t size = 0;
  if (path.starts_with('/')) std::from_chars(path.data() + 1, path.data() + path.size(), size);
  return std::min(size, kBodyBytesMax);
}

const std::string& Http1Answer(size_t size) {
  static std::map<size_t, std::string> answers;
  std::string& answer = answers[size];
  if (answer.empty()) {
    answer = "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Fri, 01 Jan 2027 00:00:00 GMT\r\nContent-Type: text/plain\r\n"
             "Content-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
  }
  return answer;
}

struct Answer {
  size_t left = 0;
  bool grpc = false;
};

struct Connection {
  int fd = -1;
  bool closing = false;
  std::string in;              // what is no whole head yet
  std::string_view out;        // of answers, not yet taken by the kernel
  std::string own;             // behind `out`, or HTTP/2 frames
  nghttp2_session* session = nullptr;  // null: HTTP/1.1
  std::unordered_map<int32_t, Answer> answers;  // HTTP/2: by stream
};

// ---- HTTP/2

nghttp2_nv Field(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size, const uint8_t* value,
             size_t value_size, uint8_t, void* user) {
  Answer& answer = static_cast<Connection*>(user)->answers[frame->hd.stream_id];
  const std::string_view field(reinterpret_cast<const char*>(name), name_size);
  if (field == ":path") answer.left = SizeOf({reinterpret_cast<const char*>(value), value_size});
  if (field == "te") answer.grpc = true;
  return 0;
}

ssize_t ReadBody(nghttp2_session* session, int32_t stream, uint8_t* into, size_t size, uint32_t* flags,
                 nghttp2_data_source* source, void*) {
  Answer& answer = *static_cast<Answer*>(source->ptr);
  const size_t count = std::min(size, answer.left);
  std::memset(into, 'x', count);
  answer.left -= count;
  if (answer.left > 0) return static_cast<ssize_t>(count);
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (answer.grpc) {
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const nghttp2_nv trailer = Field("grpc-status", "0");
    nghttp2_submit_trailer(session, stream, &trailer, 1);
  }
  return static_cast<ssize_t>(count);
}

int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  auto& connection = *static_cast<Connection*>(user);
  const auto found = connection.answers.find(frame->hd.stream_id);
  if (found == connection.answers.end()) return 0;
  Answer& answer = found->second;
  char length[24];
  const size_t length_size =
      static_cast<size_t>(std::to_chars(length, length + sizeof length, answer.left).ptr - length);
  nghttp2_nv length_field = Field("content-length", {length, length_size});
  length_field.flags = NGHTTP2_NV_FLAG_NO_COPY_NAME;
  const std::array<nghttp2_nv, 3> plain = {Field(":status", "200"), Field("content-type", "text/plain"), length_field};
  const std::array<nghttp2_nv, 2> grpc = {Field(":status", "200"), Field("content-type", "application/grpc")};
  nghttp2_data_provider body{};
  body.source.ptr = &answer;
  body.read_callback = ReadBody;
  nghttp2_submit_response(session, frame->hd.stream_id, answer.grpc ? grpc.data() : plain.data(),
                          answer.grpc ? grpc.size() : plain.size(), &body);
  return 0;
}

int OnStreamClose(nghttp2_session*, int32_t stream, uint32_t, void* user) {
  static_cast<Connection*>(user)->answers.erase(stream);
  return 0;
}

void StartHttp2(Connection& connection) {
  static nghttp2_session_callbacks* const callbacks = [] {
    nghttp2_session_callbacks* made = nullptr;
    nghttp2_session_callbacks_new(&made);
    nghttp2_session_callbacks_set_on_header_callback(made, OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, OnStreamClose);
    return made;
  }();
  nghttp2_session_server_new(&connection.session, callbacks, &connection);
  const std::array<nghttp2_settings_entry, 2> settings = {{{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000},
                                                           {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20}}};
  nghttp2_submit_settings(connection.session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
}

// False: the connection is over.
bool FeedHttp2(Connection& connection, std::string_view bytes) {
  nghttp2_session* const session = connection.session;
  if (nghttp2_session_mem_recv(session, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()) < 0) return false;
  while (true) {
    const uint8_t* frames = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session, &frames);
    if (size < 0) return false;
    if (size == 0) break;
    connection.own.append(reinterpret_cast<const char*>(frames), static_cast<size_t>(size));
  }
  return nghttp2_session_want_read(session) != 0 || nghttp2_session_want_write(session) != 0;
}

// ---- HTTP/1.1

void AnswerHttp1(Connection& connection, std::string_view head) {
  const size_t path = head.find(' ') + 1;
  const std::string& answer = Http1Answer(SizeOf(head.substr(path, head.find(' ', path) - path)));
  if (head.find("onnection: close") != std::string_view::npos) connection.closing = true;
  if (connection.out.empty() && connection.own.empty()) {
    connection.out = answer;
  } else {
    connection.own += answer;
  }
}

void FeedHttp1(Connection& connection, std::string_view bytes) {
  std::string whole;
  if (!connection.in.empty()) {
    whole = std::move(connection.in) + std::string(bytes);
    connection.in.clear();
    bytes = whole;
  }
  for (size_t end = bytes.find(kHeadEnd); end != std::string_view::npos; end = bytes.find(kHeadEnd)) {
    AnswerHttp1(connection, bytes.substr(0, end));
    bytes.remove_prefix(end + kHeadEnd.size());
  }
  connection.in = bytes;
}

// ---- sockets

// False: the connection is over.
bool Flush(Connection& connection) {
  while (!connection.out.empty() || !connection.own.empty()) {
    const bool first = !connection.out.empty();
    const std::string_view bytes = first ? connection.out : std::string_view(connection.own);
    const ssize_t count = send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN;
    if (first) {
      connection.out.remove_prefix(static_cast<size_t>(count));
    } else {
      connection.own.erase(0, static_cast<size_t>(count));
    }
  }
  return !connection.closing;
}

bool Serve(Connection& connection) {
  static std::array<char, kReadBytes> buffer;
  while (true) {
    const ssize_t count = recv(connection.fd, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EAGAIN) return Flush(connection);
    if (count <= 0) return false;
    const std::string_view bytes(buffer.data(), static_cast<size_t>(count));
    if (connection.session == nullptr && bytes.starts_with(kPreface.substr(0, 16))) StartHttp2(connection);
    if (connection.session == nullptr) {
      FeedHttp1(connection, bytes);
    } else if (!FeedHttp2(connection, bytes)) {
      return false;
    }
    if (bytes.size() < buffer.size()) return Flush(connection);
  }
}

void Close(Connection* connection) {
  close(connection->fd);
  nghttp2_session_del(connection->session);
  delete connection;
}

void Accept(int listener, int epoll) {
  while (true) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    auto* connection = new Connection;
    connection->fd = fd;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = connection;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

int Listen(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, 4096) != 0) return -1;
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  const int port = argc == 2 ? std::atoi(argv[1]) : 0;
  const int listener = port > 0 ? Listen(static_cast<uint16_t>(port)) : -1;
  if (listener < 0) {
    std::fprintf(stderr, "usage: updraft_bench_backend PORT, a free one\n");
    return 2;
  }
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  epoll_event accepting{};
  accepting.events = EPOLLIN;
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &accepting);
  while (true) {
    std::array<epoll_event, 256> events;
    const int count = epoll_wait(epoll, events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      auto* connection = static_cast<Connection*>(event.data.ptr);
      if (connection == nullptr) {
        Accept(listener, epoll);
      } else if (!((event.events & EPOLLIN) != 0 ? Serve(*connection) : Flush(*connection))) {
        Close(connection);
      }
    }
  }
}

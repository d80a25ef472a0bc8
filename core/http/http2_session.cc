#include "core/http/http2_session.h"

#include <array>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/http/http2_memory.h"
#include "core/http/http2_stream.h"

namespace updraft::http {
namespace {

constexpr size_t kOutputBytesMax = 64 << 10;  // packed before it must be written; a frame may go beyond it
constexpr size_t kSpareOutputsMax = 8;

// Buffers that sessions of this thread fill in turn: an idle one holds none.
std::vector<std::string>& SpareOutputs() {
  thread_local std::vector<std::string> spare;
  return spare;
}

std::string_view View(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};  // NOLINT: bytes are bytes
}

}  // namespace

// nghttp2 calls these with the session as user data.
struct Http2Session::Callbacks {
  static Http2Session& Of(void* user) { return *static_cast<Http2Session*>(user); }

  static int OnBeginHeaders(nghttp2_session* raw, const nghttp2_frame* frame, void* user) {
    const bool opens = frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    if (!opens) {
      Of(user).incoming_ = Of(user).FindStream(frame->hd.stream_id);
      return 0;
    }
    Http2Stream* const stream = Of(user).OnNewStream(frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    nghttp2_session_set_stream_user_data(raw, frame->hd.stream_id, stream);
    Of(user).incoming_ = stream;
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* user) {
    if (Http2Stream* const stream = Of(user).incoming_)
      stream->OnField(View(name, name_size), View(value, value_size));
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
      Of(user).OnPingAck();
      return 0;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Http2Stream* const stream = Of(user).FindStream(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS) stream->EndFields(end);
    if (end) stream->EndBody();
    return 0;
  }

  static int OnData(nghttp2_session* raw, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void* user) {
    Http2Stream* const stream = Of(user).FindStream(id);
    if (stream != nullptr) {
      stream->AddBody(View(data, size));
    } else {
      nghttp2_session_consume_connection(raw, size);  // of a stream that nobody reads any more
    }
    return 0;
  }

  static int OnClose(nghttp2_session*, int32_t id, uint32_t error, void* user) {
    if (Http2Stream* const stream = Of(user).FindStream(id)) stream->Close(error);
    return 0;
  }

  static int OnInvalid(nghttp2_session*, const nghttp2_frame*, int, void* user) {
    Of(user).OnInvalidFrame();
    return 0;
  }

  static int OnSent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    const bool may_end = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (!may_end || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    if (Http2Stream* const stream = Of(user).FindStream(frame->hd.stream_id)) stream->OnEndSent();
    return 0;
  }

  static int OnNotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
      Of(user).OnNotSent(frame->hd.stream_id);
    return 0;
  }

  static int SendData(nghttp2_session*, nghttp2_frame* frame, const uint8_t* head, size_t size,
                      nghttp2_data_source*, void* user) {
    Http2Session& session = Of(user);
    Http2Stream* const stream = session.FindStream(frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    session.output_.append(View(head, 9));
    session.output_.append(stream->TakeOutgoing(size));
    const bool full = session.output_.size() - session.output_at_ >= kOutputBytesMax;
    return full ? NGHTTP2_ERR_PAUSE : 0;
  }

  // What every session has in common.
  static const nghttp2_session_callbacks* All() {
    static const nghttp2_session_callbacks* const all = [] {
      nghttp2_session_callbacks* made = nullptr;
      UPDRAFT_CHECK(nghttp2_session_callbacks_new(&made) == 0);
      nghttp2_session_callbacks_set_on_begin_headers_callback(made, OnBeginHeaders);
      nghttp2_session_callbacks_set_on_header_callback(made, OnHeader);
      nghttp2_session_callbacks_set_on_frame_recv_callback(made, OnFrame);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, OnData);
      nghttp2_session_callbacks_set_on_stream_close_callback(made, OnClose);
      nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, OnInvalid);
      nghttp2_session_callbacks_set_on_frame_send_callback(made, OnSent);
      nghttp2_session_callbacks_set_on_frame_not_send_callback(made, OnNotSent);
      nghttp2_session_callbacks_set_send_data_callback(made, SendData);
      return made;
    }();
    return all;
  }

  static const nghttp2_option* Options() {
    static const nghttp2_option* const options = [] {
      nghttp2_option* made = nullptr;
      UPDRAFT_CHECK(nghttp2_option_new(&made) == 0);
      nghttp2_option_set_no_auto_window_update(made, 1);  // a window opens as its bytes are used
      nghttp2_option_set_no_closed_streams(made, 1);
      return made;
    }();
    return options;
  }
};

Http2Session::Http2Session(Role role, Input& input, const Http2Limits& limits) : input_(input) {
  nghttp2_mem* const memory = Http2Memory();
  const auto* const callbacks = Callbacks::All();
  const auto* const options = Callbacks::Options();
  const int made = role == Role::kServer
                       ? nghttp2_session_server_new3(&session_, callbacks, this, options, memory)
                       : nghttp2_session_client_new3(&session_, callbacks, this, options, memory);
  UPDRAFT_CHECK(made == 0);
  const std::array<nghttp2_settings_entry, 4> settings = {{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kHeadBytesMax},
      role == Role::kServer ? nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_max}
                            : nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},  // a server's alone
  }};
  const size_t count = role == Role::kServer ? 4 : 3;
  UPDRAFT_CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), count) == 0);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<int32_t>(limits.connection_window));
}

Http2Session::~Http2Session() {
  nghttp2_session_del(session_);
  DropOutput();
}

Http2Stream* Http2Session::FindStream(int32_t id) const {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session_, id));
}

void Http2Session::Forget(const Http2Stream& stream) {
  if (incoming_ == &stream) incoming_ = nullptr;
  nghttp2_session_set_stream_user_data(session_, stream.id(), nullptr);
}

bool Http2Session::over() const {
  return broken_ || (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0);
}

bool Http2Session::Receive(std::string_view bytes) {
  const auto* const data = reinterpret_cast<const uint8_t*>(bytes.data());  // NOLINT: bytes are bytes
  receiving_ = true;
  const ssize_t used = nghttp2_session_mem_recv(session_, data, bytes.size());
  receiving_ = false;
  return used == static_cast<ssize_t>(bytes.size()) && nghttp2_session_want_read(session_) != 0;
}

bool Http2Session::FillOnce() {
  const IoState state = input_.Fill(kScratchBytes);
  broken_ |= state == IoState::kBroken;
  return state != IoState::kEnd && state != IoState::kBroken;
}

bool Http2Session::ReadOnce() {
  if (!FillOnce()) return false;
  const std::span<char> bytes = input_.Take(kScratchBytes);
  return bytes.empty() || Receive({bytes.data(), bytes.size()});
}

void Http2Session::Pack() {
  if (broken_ || receiving_) return;  // nghttp2 is not to be entered twice; who receives packs behind it
  // Only in place of an empty one: what was packed before and is not out must not be lost.
  if (output_.empty() && output_.capacity() < kOutputBytesMax / 2 && nghttp2_session_want_write(session_) != 0) {
    std::vector<std::string>& spare = SpareOutputs();
    if (!spare.empty()) {
      output_ = std::move(spare.back());
      spare.pop_back();
    }
  }
  while (output_.size() - output_at_ < kOutputBytesMax) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) broken_ = true;
    if (size <= 0) break;
    output_.append(View(bytes, static_cast<size_t>(size)));
  }
  if (!output_.empty() && output_open_ && !writing_) loop().Defer(&flush_later_);
}

void Http2Session::OpenOutput() {
  output_open_ = true;
  Pack();
}

void Http2Session::Flush() {
  while (!writing_ && !broken_) {
    if (output_.empty()) return;
    const iovec piece{output_.data() + output_at_, output_.size() - output_at_};
    const IoResult io = stream().Write({&piece, 1});
    output_at_ += io.bytes;
    if (io.state == IoState::kBroken) broken_ = true;
    if (io.state == IoState::kBlocked) {
      writing_ = true;
      scope_.Spawn(WriteBlocked());
      return;
    }
    if (output_at_ < output_.size()) continue;
    DropOutput();
    if (nghttp2_session_want_write(session_) != 0) Pack();  // what the bound kept back
  }
}

Task<void> Http2Session::WriteBlocked() {
  while (output_at_ < output_.size() && !broken_) {
    const WaitEnd wait = co_await stream().Writable(TimePoint::max());
    if (wait == WaitEnd::kInterrupted) break;
    const iovec piece{output_.data() + output_at_, output_.size() - output_at_};
    const IoResult io = stream().Write({&piece, 1});
    output_at_ += io.bytes;
    broken_ |= io.state == IoState::kBroken;
  }
  DropOutput();
  writing_ = false;
  OnWritten();
  Pack();
}

void Http2Session::DropOutput() {
  std::vector<std::string>& spare = SpareOutputs();
  output_.clear();
  output_at_ = 0;
  if (output_.capacity() < kOutputBytesMax / 2) return;
  if (spare.size() < kSpareOutputsMax && output_.capacity() <= 4 * kOutputBytesMax) {
    spare.push_back(std::move(output_));
  }
  output_ = std::string();
}

}  // namespace updraft::http

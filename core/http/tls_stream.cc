#include "core/http/tls_stream.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "core/http/host_name.h"
#include "core/http/openssl.h"

namespace updraft::http {
namespace {

constexpr size_t kRecordBytesMax = SSL3_RT_MAX_PLAIN_LENGTH;
constexpr size_t kSealedBytesMax = SSL3_RT_MAX_PACKET_SIZE;
constexpr size_t kFetchBytesMax = 64 << 10;
constexpr size_t kWriteBytesMax = 4 * kRecordBytesMax;  // in one call
// What may wait to be sent beside a piece of a response: answers to what the client does with the
// protocol itself.
constexpr size_t kUnsentBytesMax = 2 * kWriteBytesMax;

// For who speaks HTTP without TLS.
constexpr std::string_view kPlainAnswer =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    "Content-Length: 24\r\n\r\nthis port speaks HTTPS\r\n";

// Empty between calls.
thread_local std::array<char, kFetchBytesMax> fetched;
thread_local std::string outgoing;

size_t TotalOf(std::span<const iovec> pieces) {
  size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  return total;
}

}  // namespace

// What OpenSSL reads from and writes to.
struct TlsBio {
  static BIO* New(TlsStream* stream) {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
      BIO_meth_set_read(made, Read);
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, Control);
      return made;
    }();
    BIO* const bio = BIO_new(method);
    UPDRAFT_CHECK(bio != nullptr);
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    return bio;
  }

  static int Read(BIO* bio, char* into, int size) {
    TlsStream& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (stream.incoming_.empty() && !stream.Fetch()) {
      if (stream.ended_) return 0;
      if (!stream.broken()) BIO_set_retry_read(bio);
      return -1;
    }
    const size_t count = std::min(static_cast<size_t>(size), stream.incoming_.size());
    std::memcpy(into, stream.incoming_.data(), count);
    stream.incoming_ = stream.incoming_.subspan(count);
    return static_cast<int>(count);
  }

  static int Write(BIO*, const char* bytes, int size) {
    outgoing.append(bytes, static_cast<size_t>(size));
    return size;
  }

  static long Control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return static_cast<TlsStream*>(BIO_get_data(bio))->ended_ ? 1 : 0;
    return 0;
  }
};

void TlsStream::FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsStream::TlsStream(TlsContext& context, Loop& loop, UniqueFd socket)
    : Stream(loop, std::move(socket), Socket::kAccepted), context_(context), ssl_(context.NewConnection(greeting_)) {
  BIO* const bio = TlsBio::New(this);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsStream::~TlsStream() { SayEnd(); }

Task<Status> TlsStream::Handshake(TimePoint deadline) {
  while (true) {
    const Step step = HandshakeStep();
    if (step == Step::kDone) {
      CountHandshake();
      co_return Ok();
    }
    if (step == Step::kFailed) {
      if (broken() || ended_) {
        ERR_clear_error();
        co_return Failed(Code::kUnavailable, "connection closed in the TLS handshake");
      }
      if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_HTTP_REQUEST) (void)SendNow(kPlainAnswer);
      co_return Failed(Code::kInvalidArgument, "TLS handshake: " + TakeOpensslError());
    }
    WaitEnd wait = WaitEnd::kReady;
    if (unsent_.empty()) {
      wait = co_await Readable(deadline);
    } else {
      wait = co_await Writable(deadline);
    }
    if (wait == WaitEnd::kTimeout)
      co_return Failed(Code::kDeadlineExceeded, "the TLS handshake took too long");
    if (wait == WaitEnd::kInterrupted) co_return Error{Code::kCancelled, "interrupted"};
  }
}

void TlsStream::CountHandshake() {
  TlsCounters& counters = context_.counters();
  auto& of = SSL_version(ssl_.get()) == TLS1_3_VERSION ? counters.tls13 : counters.tls12;
  TlsCounters::Add(SSL_session_reused(ssl_.get()) == 1 ? of.resumed : of.full);
}

Error TlsStream::Failed(Code code, std::string why) {
  TlsCounters& counters = context_.counters();
  TlsCounters::Add(code == Code::kInvalidArgument ? counters.refused : counters.abandoned);
  return {code, std::move(why)};
}

TlsStream::Step TlsStream::HandshakeStep() {
  incoming_ = kept_;
  fetch_bytes_ = kSealedBytesMax;
  const int result = SSL_do_handshake(ssl_.get());
  const int error = SSL_get_error(ssl_.get(), result);
  KeepUnread();
  // All that a client of TLS 1.3 is still sent are tickets: they go with the first response.
  if (result == 1 && SSL_version(ssl_.get()) == TLS1_3_VERSION) {
    unsent_.append(outgoing);
    outgoing.clear();
    established_ = true;
    return Step::kDone;
  }
  const IoState sent = Flush();
  if (sent == IoState::kBroken || (result != 1 && error != SSL_ERROR_WANT_READ))
    return Step::kFailed;
  established_ = result == 1 && sent == IoState::kOk;
  return established_ ? Step::kDone : Step::kAgain;
}

bool TlsStream::http2() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return size == 2 && std::memcmp(name, "h2", 2) == 0;
}

IoResult TlsStream::Read(std::span<char> into) {
  if (into.empty()) return {0, IoState::kOk};
  incoming_ = kept_;
  // As much as surely fits when it is opened, with the part of a record that may be there already.
  fetch_bytes_ =
      std::min(kFetchBytesMax, std::max(into.size(), 2 * kSealedBytesMax) - kSealedBytesMax);
  size_t count = 0;
  IoState state = IoState::kOk;
  while (count < into.size()) {
    const int result =
        SSL_read(ssl_.get(), into.data() + count, static_cast<int>(into.size() - count));
    if (result <= 0) {
      if (count == 0) state = ReadFailure(result);
      break;
    }
    count += static_cast<size_t>(result);
    fetch_bytes_ = 0;  // enough has come
    if (incoming_.empty() && SSL_pending(ssl_.get()) == 0) break;
  }
  KeepUnread();
  if (!outgoing.empty()) (void)Flush();
  return {count, state};
}

IoState TlsStream::ReadFailure(int result) {
  if (broken()) return IoState::kBroken;
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return IoState::kBlocked;
  if (error == SSL_ERROR_ZERO_RETURN) return IoState::kEnd;
  ERR_clear_error();
  SetBroken();
  return IoState::kBroken;
}

bool TlsStream::Fetch() {
  if (fetch_bytes_ == 0 || ended_) return false;
  const IoResult io = Receive(std::span(fetched).first(fetch_bytes_), 0);
  if (io.state == IoState::kEnd) ended_ = true;
  if (io.bytes < fetch_bytes_) fetch_bytes_ = 0;  // the socket has no more
  incoming_ = std::span<const char>(fetched).first(io.bytes);
  return !incoming_.empty();
}

void TlsStream::KeepUnread() {
  const bool in_kept =
      incoming_.data() >= kept_.data() && incoming_.data() <= kept_.data() + kept_.size();
  if (incoming_.empty()) {
    kept_ = std::string();  // idle connections hold no memory
  } else if (in_kept) {
    kept_.erase(0, kept_.size() - incoming_.size());
  } else {
    kept_.assign(incoming_.data(), incoming_.size());
  }
  incoming_ = {};
  if (!kept_.empty() || SSL_pending(ssl_.get()) > 0) SetReadable();
}

IoResult TlsStream::Write(std::span<const iovec> pieces) {
  if (encrypted_ == 0) Encrypt(pieces);
  if (TotalOf(pieces) < encrypted_) SetBroken();  // not what was to be written
  if (broken()) return {0, IoState::kBroken};
  const IoState state = Flush();
  if (state != IoState::kOk) return {0, state};
  return {std::exchange(encrypted_, 0), IoState::kOk};
}

// Full records, as far as there is enough; small pieces are put together.
void TlsStream::Encrypt(std::span<const iovec> pieces) {
  thread_local std::array<char, kRecordBytesMax> gathered;
  size_t size = 0;
  for (const iovec& piece : pieces) {
    std::string_view left(static_cast<const char*>(piece.iov_base), piece.iov_len);
    while (!left.empty()) {
      const size_t room = kWriteBytesMax - encrypted_ - size;
      if (room == 0) break;
      const size_t count = std::min({left.size(), room, kRecordBytesMax - size});
      const bool alone = size == 0 && (count == kRecordBytesMax || pieces.size() == 1);
      if (alone) {
        if (!Seal(left.substr(0, count))) return;
      } else {
        std::memcpy(gathered.data() + size, left.data(), count);
        size += count;
      }
      left.remove_prefix(count);
      if (size == kRecordBytesMax && !Seal({gathered.data(), std::exchange(size, 0)})) return;
    }
  }
  if (size > 0) (void)Seal({gathered.data(), size});
}

bool TlsStream::Seal(std::string_view record) {
  if (SSL_write(ssl_.get(), record.data(), static_cast<int>(record.size())) !=
      static_cast<int>(record.size())) {
    ERR_clear_error();
    SetBroken();
    return false;
  }
  encrypted_ += record.size();
  return true;
}

// Sends what the call has brought about, behind what earlier ones left.
IoState TlsStream::Flush() {
  if (!unsent_.empty()) {
    unsent_.append(outgoing);
    outgoing.clear();
  }
  std::string& bytes = unsent_.empty() ? outgoing : unsent_;
  IoResult io;
  if (!bytes.empty()) io = SendNow(bytes);
  if (bytes.size() - io.bytes > kUnsentBytesMax) {
    SetBroken();
    io.state = IoState::kBroken;
  }
  const bool all = io.bytes == bytes.size();
  if (&bytes == &unsent_) {
    unsent_.erase(0, io.bytes);
    if (all) unsent_ = std::string();
  } else {
    if (!all) unsent_.assign(outgoing, io.bytes);
    outgoing.clear();
  }
  if (io.state == IoState::kBroken) return IoState::kBroken;
  return all ? IoState::kOk : IoState::kBlocked;
}

void TlsStream::FinishWriting() {
  SayEnd();
  Stream::FinishWriting();
}

void TlsStream::SayEnd() {
  if (!established_ || end_said_ || encrypted_ > 0 || broken() || resets_on_close()) return;
  end_said_ = true;
  (void)SSL_shutdown(ssl_.get());
  ERR_clear_error();
  (void)Flush();
}

bool TlsStream::Serves(std::string_view authority) const {
  const HostName host(authority);
  if (host.view() == greeting_.host) return true;
  const CertificateSource::Choice choice = context_.certificates().FindCertificate(host.view());
  if (choice.certificate == greeting_.choice.certificate) return true;
  return (choice.by_default && greeting_.choice.by_default) ||
         greeting_.choice.certificate->Covers(host.view());
}

}  // namespace updraft::http

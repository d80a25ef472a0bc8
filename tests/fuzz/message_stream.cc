#include "tests/fuzz/message_stream.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "core/http/chunked.h"
#include "core/http/parser.h"

namespace updraft::fuzz {
namespace {

void AddFields(const http::Headers& headers, Message& message) {
  for (const http::NamedHeader header : headers) message.fields.emplace_back(header.name, header.value);
}

// Takes messages one after the other as a connection does, but for waiting.
class StreamReader {
 public:
  explicit StreamReader(std::optional<std::string_view> method_answered)
      : method_(method_answered) {}

  void Feed(std::string_view bytes) {
    unread_.append(bytes);
    while (result_.over.empty() && Advance()) {
    }
  }
  // The connection has ended.
  void End() {
    if (!result_.over.empty() || framing_.body != http::BodyFraming::kUntilClose || in_head_)
      return;
    Complete();
  }
  Messages Take() {
    if (result_.over.empty() && in_head_ && !unread_.empty()) {
      StreamReader completed = *this;
      completed.Feed("\r\n\r\n");
      result_.doomed = completed.result_.refused;
    }
    return std::move(result_);
  }

 private:
  // False: it needs more bytes.
  bool Advance() {
    if (in_head_) return TakeHead();
    switch (framing_.body) {
      case http::BodyFraming::kChunked:
        return TakeChunks();
      case http::BodyFraming::kUntilClose:
        result_.list.back().body += std::exchange(unread_, {});
        return false;
      default:
        return TakeLength();
    }
  }

  bool TakeHead() {
    const size_t size = scanner_.Scan(unread_);
    if (scanner_.refusal()) return Refuse(scanner_.refusal());
    if (size == 0) return false;
    const std::string head = unread_.substr(0, size);
    unread_.erase(0, size);
    scanner_ = {};
    Message message;
    const http::Refusal refusal =
        method_ ? ParseResponse(head, message) : ParseRequest(head, message);
    if (refusal) return Refuse(refusal);
    result_.list.push_back(std::move(message));
    in_head_ = false;
    left_ = framing_.length;
    if (framing_.body == http::BodyFraming::kChunked) chunks_.emplace();
    if (framing_.body == http::BodyFraming::kNone ||
        (framing_.body == http::BodyFraming::kLength && left_ == 0))
      Complete();
    return true;
  }

  http::Refusal ParseRequest(std::string_view text, Message& message) {
    http::RequestHead head;
    const http::Refusal refusal = ParseRequestHead(text, head, framing_);
    message.start = head.method + " " + head.target;
    AddFields(head.headers, message);
    return refusal;
  }
  http::Refusal ParseResponse(std::string_view text, Message& message) {
    http::ResponseHead head;
    const http::Refusal refusal = ParseResponseHead(text, *method_, head, framing_);
    message.start = std::to_string(head.status);
    interim_ = head.status < 200 && head.status != 101;
    AddFields(head.headers, message);
    return refusal;
  }

  bool TakeLength() {
    const size_t size = std::min<uint64_t>(left_, unread_.size());
    result_.list.back().body += unread_.substr(0, size);
    unread_.erase(0, size);
    left_ -= size;
    if (left_ > 0) return false;
    Complete();
    return true;
  }

  bool TakeChunks() {
    const http::ChunkDecoder::Decoded decoded = chunks_->Decode(unread_);
    if (chunks_->refusal()) return Refuse(chunks_->refusal());
    result_.list.back().body += decoded.body;
    unread_.erase(0, decoded.consumed);
    if (!chunks_->done()) return false;
    AddFields(chunks_->trailers(), result_.list.back());
    Complete();
    return true;
  }

  void Complete() {
    result_.list.back().complete = true;
    in_head_ = true;
    if (method_ && !interim_) {
      result_.over = "answered";
    } else if (!method_ && framing_.upgrade) {
      result_.over = "upgrade";
    } else if (!method_ && !framing_.keep_alive) {
      result_.over = "close";
    }
  }
  bool Refuse(http::Refusal refusal) {
    result_.over = refusal.reason;
    result_.refused = true;
    return false;
  }

  const std::optional<std::string_view> method_;  // of the request that is answered
  Messages result_;
  std::string unread_;
  bool in_head_ = true;
  bool interim_ = false;
  http::HeadScanner scanner_;
  http::Framing framing_;
  uint64_t left_ = 0;
  std::optional<http::ChunkDecoder> chunks_;
};

Messages Read(std::string_view bytes, std::optional<std::string_view> method, size_t step) {
  StreamReader reader(method);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size())))
    reader.Feed(bytes.substr(0, step));
  if (method) reader.End();
  return reader.Take();
}

void Print(const char* who, const Messages& messages) {
  std::fprintf(stderr, "%s:\n", who);
  for (const Message& message : messages.list) {
    std::fprintf(stderr, "  \"%s\"%s\n", message.start.c_str(),
                 message.complete ? "" : " (incomplete)");
    for (const auto& [name, value] : message.fields)
      std::fprintf(stderr, "    %s: %s|\n", name.c_str(), value.c_str());
    std::fprintf(stderr, "    body of %zu: %s|\n", message.body.size(), message.body.c_str());
  }
  std::fprintf(stderr, "  then: %s\n",
               messages.over.empty() ? "more could come" : messages.over.c_str());
}

}  // namespace

Messages ReadRequests(std::string_view bytes, size_t step) {
  return Read(bytes, std::nullopt, step);
}

Messages ReadResponse(std::string_view bytes, std::string_view method, size_t step) {
  return Read(bytes, method, step);
}

void CheckAgainstOracle(const Messages& ours, const Messages& oracle) {
  const char* problem = nullptr;
  for (size_t i = 0; i < ours.complete() && problem == nullptr; ++i) {
    if (i >= oracle.complete()) {
      // It may have ended for a reason of its own; but then it has not refused what we accept.
      if (oracle.over.empty()) problem = "the oracle has not seen a message whole that we have";
      if (oracle.refused) problem = "the oracle refuses what we accept";
      break;
    }
    if (oracle.list[i] != ours.list[i]) problem = "the oracle reads a message differently";
  }
  if (ours.over.empty() && !ours.doomed && oracle.complete() > ours.complete())
    problem = "the oracle has seen a message whole that we have not";
  if (problem == nullptr) return;
  std::fprintf(stderr, "%s\n", problem);
  Print("we", ours);
  Print("the oracle", oracle);
  std::abort();
}

}  // namespace updraft::fuzz

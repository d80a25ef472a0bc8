#include "activator/access_log/log_template.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <optional>

#include "core/base/check.h"

namespace updraft::activator {
namespace {

constexpr std::string_view kDefault =
    R"({"time":"{{.Time}}","httpRequest":{"requestMethod":"{{js .Request.Method}}","requestUrl":"{{js .Request.RequestURI}}",)"
    R"("host":"{{js .Request.Host}}","requestSize":"{{.Request.ContentLength}}","status":{{.Response.Code}},)"
    R"("responseSize":"{{.Response.Size}}","userAgent":"{{js .Request.UserAgent}}","remoteIp":"{{js .Request.RemoteAddr}}",)"
    R"("serverIp":"{{.Revision.PodIP}}","referer":"{{js .Request.Referer}}","latency":"{{.Response.Latency}}s",)"
    R"("protocol":"{{.Request.Proto}}"},"revision":{"namespace":"{{.Revision.Namespace}}","name":"{{.Revision.Name}}",)"
    R"("service":"{{.Revision.Service}}","podName":"{{.Revision.PodName}}"},"traceId":"{{js .TraceID}}","requestId":"{{js .RequestID}}"})";

template <typename T>
void AppendNumber(std::string& out, T number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

// `number` in so many digits, with zeros in front.
void AppendDigits(std::string& out, uint64_t number, size_t digits) {
  std::array<char, 20> text{};
  for (size_t i = digits; i > 0; --i, number /= 10) text[i - 1] = static_cast<char>('0' + number % 10);
  out.append(text.data(), digits);
}

// RFC 3339 with milliseconds, in UTC. All but those is the same for a second's many lines.
void AppendTime(std::string& out, WallTime time) {
  thread_local time_t written = -1;
  thread_local std::string second;
  const int64_t millis = UnixNanos(time) / 1'000'000;
  const auto seconds = static_cast<time_t>(millis / 1000);
  if (seconds != written) {
    tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 40> text{};
    second.assign(text.data(), strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S.", &utc));
    written = seconds;
  }
  out.append(second);
  AppendDigits(out, static_cast<uint64_t>(millis % 1000), 3);
  out.push_back('Z');
}

// To the microsecond, without zeros at the end.
void AppendSeconds(std::string& out, Nanos span) {
  const auto micros = static_cast<uint64_t>(std::max<int64_t>(span.count(), 0) / 1000);
  AppendNumber(out, micros / 1'000'000);
  if (micros % 1'000'000 == 0) return;
  out.push_back('.');
  AppendDigits(out, micros % 1'000'000, 6);
  while (out.back() == '0') out.pop_back();
}

std::string_view HeaderOf(const LogEntry& entry, std::string_view name) {
  return entry.request.headers.Get(name).value_or("");
}

struct FieldName {
  std::string_view name;
  void (*append)(const LogEntry& entry, std::string_view header, std::string& out);
};

constexpr FieldName kFields[] = {
    {".Request.Method", [](const LogEntry& e, std::string_view, std::string& out) { out.append(e.request.method); }},
    {".Request.URL", [](const LogEntry& e, std::string_view, std::string& out) { out.append(e.request.target); }},
    {".Request.RequestURI", [](const LogEntry& e, std::string_view, std::string& out) { out.append(e.request.target); }},
    {".Request.Host", [](const LogEntry& e, std::string_view, std::string& out) { out.append(e.host); }},
    {".Request.RemoteAddr", [](const LogEntry& e, std::string_view, std::string& out) { out.append(e.remote_address); }},
    {".Request.Proto",
     [](const LogEntry& e, std::string_view, std::string& out) {
       const std::string_view old = e.request.minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1";
       out.append(e.http2 ? "HTTP/2.0" : old);  // as Go has them
     }},
    {".Request.UserAgent",
     [](const LogEntry& e, std::string_view, std::string& out) { out.append(HeaderOf(e, "user-agent")); }},
    {".Request.Referer",
     [](const LogEntry& e, std::string_view, std::string& out) { out.append(HeaderOf(e, "referer")); }},
    {".Request.ContentLength",
     [](const LogEntry& e, std::string_view, std::string& out) { AppendNumber(out, e.content_length); }},
    {".Request.Header",
     [](const LogEntry& e, std::string_view header, std::string& out) { out.append(HeaderOf(e, header)); }},
    {".Response.Code", [](const LogEntry& e, std::string_view, std::string& out) { AppendNumber(out, e.status); }},
    {".Response.Size",
     [](const LogEntry& e, std::string_view, std::string& out) { AppendNumber(out, e.response_bytes); }},
    {".Response.Latency",
     [](const LogEntry& e, std::string_view, std::string& out) {
       AppendSeconds(out, e.latency);
     }},
    {".Revision.Name",
     [](const LogEntry& e, std::string_view, std::string& out) {
       if (e.revision != nullptr) out.append(e.revision->name);
     }},
    {".Revision.Namespace",
     [](const LogEntry& e, std::string_view, std::string& out) {
       if (e.revision != nullptr) out.append(e.revision->namespace_name);
     }},
    {".Revision.Service",
     [](const LogEntry& e, std::string_view, std::string& out) {
       if (e.revision != nullptr) out.append(e.revision->service);
     }},
    {".Revision.Configuration",
     [](const LogEntry& e, std::string_view, std::string& out) {
       if (e.revision != nullptr) out.append(e.revision->configuration);
     }},
    {".Revision.PodName", [](const LogEntry& e, std::string_view, std::string& out) { out.append(e.instance_id); }},
    {".Revision.PodIP", [](const LogEntry& e, std::string_view, std::string& out) { out.append(e.instance_ip); }},
    {".TraceID",
     [](const LogEntry& e, std::string_view, std::string& out) {
       out.append(TraceIdOf(HeaderOf(e, "traceparent")));
     }},
    {".RequestID", [](const LogEntry& e, std::string_view, std::string& out) { out.append(e.request_id); }},
    {".Time", [](const LogEntry& e, std::string_view, std::string& out) { AppendTime(out, e.time); }},
};
constexpr std::string_view kHeaderField = ".Request.Header";

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

// Takes `word` off the front of `text`, with the space that must follow.
bool TakeWord(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  const std::string_view rest = text.substr(word.size());
  if (rest.empty() || !(IsSpace(rest.front()) || rest.front() == '(')) return false;
  text = Trim(rest);
  return true;
}

// "Name" with its quotes.
std::optional<std::string_view> Unquote(std::string_view text) {
  if (text.size() < 3 || text.front() != '"' || text.back() != '"') return std::nullopt;
  const std::string_view name = text.substr(1, text.size() - 2);
  if (name.find('"') != std::string_view::npos) return std::nullopt;
  return name;
}

// The length of the UTF-8 sequence at the start of `text`; 0: it is none.
size_t Utf8Length(std::string_view text) {
  const auto byte = [&text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  size_t length = 0;
  if (first >= 0xc2 && first <= 0xdf) length = 2;
  if ((first & 0xf0) == 0xe0) length = 3;
  if (first >= 0xf0 && first <= 0xf4) length = 4;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Longer than need be, halves of pairs, beyond the last.
  const bool wrong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
                     (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
  return wrong ? 0 : length;
}

// Stands for itself in a string of JSON.
bool IsPlain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

bool IsLowerHex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

class LogTemplateParser {
 public:
  static Result<LogTemplate> Parse(std::string_view text) {
    LogTemplate parsed;
    size_t at = 0;
    while (true) {
      LogTemplate::Piece& piece = parsed.pieces_.emplace_back();
      const size_t open = text.find("{{", at);
      piece.text = text.substr(at, open == std::string_view::npos ? open : open - at);
      if (open == std::string_view::npos) return parsed;
      const size_t close = text.find("}}", open);
      if (close == std::string_view::npos) return Wrong(open, "{{ without }}");
      if (const Status known = ParseField(text.substr(open + 2, close - open - 2), piece); !known) {
        return Wrong(open, known.error().message);
      }
      at = close + 2;
    }
  }

 private:
  static Error Wrong(size_t at, const std::string& what) {
    return {Code::kInvalidArgument, "access log template, byte " + std::to_string(at) + ": " + what};
  }

  static Status ParseField(std::string_view action, LogTemplate::Piece& piece) {
    std::string_view field = Trim(action);
    piece.escaped = TakeWord(field, "js");
    if (piece.escaped && field.starts_with('(') && field.ends_with(')')) {
      field = Trim(field.substr(1, field.size() - 2));
    }
    std::optional<std::string_view> header;
    if (TakeWord(field, "index") && TakeWord(field, kHeaderField)) header = Unquote(field);
    if (field.starts_with(".") && TakeWord(field, ".Request.Header.Get")) header = Unquote(field);
    if (header) {
      piece.header = *header;
      field = kHeaderField;
    } else if (field == kHeaderField) {
      field = {};
    }
    const auto* known = std::ranges::find(kFields, field, &FieldName::name);
    if (known == std::end(kFields)) return Error{Code::kInvalidArgument, "unknown field {{" + std::string(action) + "}}"};
    piece.field = known->append;
    return Ok();
  }
};

Result<LogTemplate> LogTemplate::Parse(std::string_view text) { return LogTemplateParser::Parse(text); }

LogTemplate LogTemplate::Default() {
  Result<LogTemplate> parsed = Parse(kDefault);
  UPDRAFT_CHECK(parsed);
  return *std::move(parsed);
}

void LogTemplate::Append(const LogEntry& entry, std::string& line) const {
  thread_local std::string value;
  for (const Piece& piece : pieces_) {
    line.append(piece.text);
    if (piece.field == nullptr) continue;
    if (!piece.escaped) {
      piece.field(entry, piece.header, line);
      continue;
    }
    value.clear();
    piece.field(entry, piece.header, value);
    AppendJsonEscaped(value, line);
  }
  line.push_back('\n');
}

void AppendJsonEscaped(std::string_view text, std::string& out) {
  if (std::ranges::all_of(text, IsPlain)) {
    out.append(text);
    return;
  }
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80) {
      const size_t length = Utf8Length(text.substr(i));
      out.append(length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(i, length));
      i += std::max<size_t>(length, 1);
      continue;
    }
    ++i;
    if (byte == '"' || byte == '\\') {
      out.append({'\\', static_cast<char>(byte)});
    } else if (byte < 0x20 || byte == 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", byte);
      out.append(escape.data());
    } else {
      out.push_back(static_cast<char>(byte));
    }
  }
}

std::string_view TraceIdOf(std::string_view traceparent) {
  // version "-" trace id "-" parent id "-" flags; later versions may go on behind them.
  if (traceparent.size() < 55 || traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return {};
  const std::string_view trace_id = traceparent.substr(3, 32);
  const bool all_zero = trace_id.find_first_not_of('0') == std::string_view::npos;
  if (!IsLowerHex(trace_id) || all_zero || traceparent.starts_with("ff")) return {};
  return trace_id;
}

}  // namespace updraft::activator

#include "core/http/message.h"

#include <algorithm>

namespace updraft::http {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = Lower(c);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return -1;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Where the path of `target` begins: behind "scheme://authority" in absolute-form.
size_t PathStart(std::string_view target) {
  if (target.empty() || target.front() == '/' || target == "*") return 0;
  const size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return target.size();
  return std::min(target.find_first_of("/?", scheme + 3), target.size());
}

std::string DecodeQueryPart(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  Result<std::string> decoded = PercentDecode(spaced);
  return decoded ? *std::move(decoded) : std::string(text);
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto different = static_cast<unsigned char>(a[i] ^ b[i]);
    if (different == 0) continue;
    if (different != 0x20 || Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

bool ListHasToken(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (EqualsIgnoreCase(Trim(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

Headers::Headers(std::initializer_list<Header> headers) {
  for (const Header& header : headers) Add(header.name, header.value);
}

void Headers::Add(std::string_view name, std::string_view value) {
  Field field;
  field.name = static_cast<uint32_t>(text_.size());
  field.name_size = static_cast<uint32_t>(name.size());
  text_.append(name).append(": ");
  field.value = static_cast<uint32_t>(text_.size());
  field.value_size = static_cast<uint32_t>(value.size());
  text_.append(value).append("\r\n");
  field.known = FieldNameOf(name);
  names_ |= In(field.known);
  fields_.push_back(field);
}

void Headers::Adopt(std::string_view text, std::span<const HeaderField> fields) {
  text_.assign(text);
  fields_.assign(fields.begin(), fields.end());
  names_ = 0;
  for (const Field& field : fields) names_ |= In(field.known);
}

void Headers::Set(std::string_view name, std::string_view value) {
  Remove(name);
  Add(name, value);
}

void Headers::Remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) {
    return EqualsIgnoreCase({text_.data() + field.name, field.name_size}, name);
  });
}

void Headers::Clear() {
  text_.clear();
  fields_.clear();
  names_ = 0;
}

std::optional<std::string_view> Headers::Get(std::string_view name) const {
  for (const NamedHeader header : *this) {
    if (EqualsIgnoreCase(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Headers::Get(FieldName name) const {
  if (!MayHave(In(name))) return std::nullopt;
  for (const NamedHeader header : *this) {
    if (header.known == name) return header.value;
  }
  return std::nullopt;
}

bool Headers::HasToken(std::string_view name, std::string_view token) const {
  for (const NamedHeader header : *this) {
    if (EqualsIgnoreCase(header.name, name) && ListHasToken(header.value, token)) return true;
  }
  return false;
}

std::string_view RequestHead::path() const {
  const std::string_view whole = target;
  const std::string_view path = whole.substr(PathStart(whole));
  if (path.empty() || path.front() == '?') return "/";
  return path.substr(0, path.find('?'));
}

std::string_view RequestHead::query() const {
  const std::string_view whole = target;
  const size_t mark = whole.find('?', PathStart(whole));
  return mark == std::string_view::npos ? std::string_view() : whole.substr(mark + 1);
}

std::string_view RequestHead::host() const {
  const std::string_view whole = target;
  const size_t path = PathStart(whole);
  if (path > 0) {
    const size_t scheme = whole.substr(0, path).find("://");
    if (scheme != std::string_view::npos) return whole.substr(scheme + 3, path - scheme - 3);
  }
  return headers.Get(FieldName::kHost).value_or("");
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 103:
      return "Early Hints";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = high >= 0 ? HexValue(text[i + 2]) : -1;
    if (low < 0) return Error{Code::kInvalidArgument, "\"%\" without two hexadecimal digits"};
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part.empty()) continue;
    const size_t equals = std::min(part.find('='), part.size());
    const std::string_view value = part.substr(std::min(equals + 1, part.size()));
    parameters.emplace_back(DecodeQueryPart(part.substr(0, equals)), DecodeQueryPart(value));
  }
  return parameters;
}

std::optional<std::string> QueryParameter(std::string_view query, std::string_view name) {
  for (auto& [key, value] : ParseQuery(query)) {
    if (key == name) return std::move(value);
  }
  return std::nullopt;
}

}  // namespace updraft::http

// The heads of requests and responses, whatever version of HTTP carried them. Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace updraft::http {

struct Header {
  std::string_view name;
  std::string_view value;
};

bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// Whether the field name `name` is `lower`, a name in lower case with letters, digits and "-"
// alone. Quicker than EqualsIgnoreCase: such a byte and its upper case differ from all others that
// may stand in a name by more than the bit for the case.
template <size_t N>
bool NameIs(std::string_view name, const char (&lower)[N]) {
  const size_t size = N - 1;
  if (name.size() != size) return false;
  const auto differs = [&]<typename Word>(size_t at, Word case_bits) {
    Word ours = 0;
    Word theirs = 0;
    std::memcpy(&ours, lower + at, sizeof ours);
    std::memcpy(&theirs, name.data() + at, sizeof theirs);
    return static_cast<uint64_t>((theirs | case_bits) ^ ours);
  };
  // A word at a time; the last one overlaps the one before.
  uint64_t different = 0;
  if constexpr (size >= 8) {
    for (size_t i = 0; i + 8 < size; i += 8) different |= differs(i, uint64_t{0x2020202020202020});
    different |= differs(size - 8, uint64_t{0x2020202020202020});
  } else if constexpr (size >= 4) {
    different = differs(0, uint32_t{0x20202020}) | differs(size - 4, uint32_t{0x20202020});
  } else {
    for (size_t i = 0; i < size; ++i) different |= differs(i, uint8_t{0x20});
  }
  return different == 0;
}

// The names that decide how a message is framed and passed on. A field is compared with them once,
// when it is read or added.
enum class FieldName : uint8_t {
  kOther,
  kConnection,
  kContentLength,
  kDate,
  kExpect,
  kHost,
  kKeepAlive,
  kProxyConnection,
  kTe,
  kTransferEncoding,
  kUpgrade,
};

inline FieldName FieldNameOf(std::string_view name) {
  // Told apart by length first: most names cost one comparison of sizes.
  const auto if_is = [name](const auto& lower, FieldName known) {
    return NameIs(name, lower) ? known : FieldName::kOther;
  };
  switch (name.size()) {
    case 2:
      return if_is("te", FieldName::kTe);
    case 4:
      if (NameIs(name, "host")) return FieldName::kHost;
      return if_is("date", FieldName::kDate);
    case 6:
      return if_is("expect", FieldName::kExpect);
    case 7:
      return if_is("upgrade", FieldName::kUpgrade);
    case 10:
      if (NameIs(name, "connection")) return FieldName::kConnection;
      return if_is("keep-alive", FieldName::kKeepAlive);
    case 14:
      return if_is("content-length", FieldName::kContentLength);
    case 16:
      return if_is("proxy-connection", FieldName::kProxyConnection);
    case 17:
      return if_is("transfer-encoding", FieldName::kTransferEncoding);
    default:
      return FieldName::kOther;
  }
}

// A set of them, a bit each.
using FieldNames = uint32_t;
constexpr FieldNames In(FieldName name) { return FieldNames{1} << static_cast<unsigned>(name); }

struct NamedHeader : Header {
  FieldName known = FieldName::kOther;

  bool Is(FieldNames names) const { return (In(known) & names) != 0; }
};

// Whether the comma-separated `list` has `token`, without case.
bool ListHasToken(std::string_view list, std::string_view token);

// Where a field lies in the text of its head.
struct HeaderField {
  uint32_t name = 0;
  uint32_t value = 0;
  uint32_t name_size = 0;
  uint32_t value_size = 0;
  FieldName known = FieldName::kOther;
};

// Fields in the order they were added. Names compare without case and keep the case they came in.
// Views that are handed out live until the next change.
class Headers {
 public:
  class Iterator;

  Headers() = default;
  Headers(std::initializer_list<Header> headers);

  void Add(std::string_view name, std::string_view value);
  void Set(std::string_view name, std::string_view value);  // the only one of its name, at the end
  void Remove(std::string_view name);
  // Those that `goes` (NamedHeader -> bool) says so of.
  template <typename Predicate>
  void RemoveIf(Predicate goes) {
    std::erase_if(fields_, [&](const HeaderField& field) { return goes(Show(field)); });
  }
  void Clear();
  // Room for what is to be added.
  void Reserve(size_t fields, size_t bytes) {
    fields_.reserve(fields);
    text_.reserve(bytes);
  }
  // Replaces all by what a parser found in `text`.
  void Adopt(std::string_view text, std::span<const HeaderField> fields);

  // The first of its name.
  std::optional<std::string_view> Get(std::string_view name) const;
  std::optional<std::string_view> Get(FieldName name) const;
  // False: it has no field of these names. True: it has, or had before some were removed.
  bool MayHave(FieldNames names) const { return (names_ & names) != 0; }
  bool Has(std::string_view name) const { return Get(name).has_value(); }
  // Whether the list in any field `name` has `token`, without case.
  bool HasToken(std::string_view name, std::string_view token) const;

  // Calls `run` (std::string_view) with the fields that `keep` (NamedHeader -> bool) says so of, as one
  // or more lines "name: value" with "\r\n" between, none at the end.
  template <typename Keep, typename Run>
  void ForEachRun(Keep keep, Run run) const;

  // Bytes that it holds for fields, whether or not there are so many.
  size_t memory() const { return text_.capacity() + fields_.capacity() * sizeof(HeaderField); }

  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  NamedHeader at(size_t index) const { return Show(fields_[index]); }
  Iterator begin() const;
  Iterator end() const;

 private:
  using Field = HeaderField;

  NamedHeader Show(const Field& field) const {
    return {{{text_.data() + field.name, field.name_size},
             {text_.data() + field.value, field.value_size}},
            field.known};
  }

  std::string text_;  // lines "name: value\r\n"; what was removed stays until Clear()
  std::vector<Field> fields_;
  FieldNames names_ = 0;  // of all that were added
};

class Headers::Iterator {
 public:
  Iterator(const Headers* headers, size_t index) : headers_(headers), index_(index) {}
  NamedHeader operator*() const { return headers_->at(index_); }
  Iterator& operator++() {
    ++index_;
    return *this;
  }
  bool operator==(const Iterator&) const = default;

 private:
  const Headers* headers_;
  size_t index_;
};

inline Headers::Iterator Headers::begin() const { return {this, 0}; }
inline Headers::Iterator Headers::end() const { return {this, fields_.size()}; }

// Fields stand in text_ as lines, those that a parser found next to each other even with the line
// ends between: such runs are handed out whole.
template <typename Keep, typename Run>
void Headers::ForEachRun(Keep keep, Run run) const {
  size_t start = 0;
  size_t end = 0;  // of the last value; 0: no run
  for (const Field& field : fields_) {
    if (!keep(Show(field))) continue;
    const bool follows = end > 0 && field.name == end + 2;
    if (!follows && end > 0) run(std::string_view(text_.data() + start, end - start));
    if (!follows) start = field.name;
    end = field.value + field.value_size;
  }
  if (end > 0) run(std::string_view(text_.data() + start, end - start));
}

struct RequestHead {
  std::string method;
  std::string target;     // as sent: origin-form, absolute-form or *
  int minor_version = 1;  // HTTP/1.x; 1 for HTTP/2 as well
  Headers headers;

  std::string_view path() const;   // of the target, still percent-encoded; "*" for OPTIONS *
  std::string_view query() const;  // what follows "?", still percent-encoded
  // Lower-casing and the port are left to the caller: from an absolute target, else from Host.
  std::string_view host() const;
};

struct ResponseHead {
  int status = 200;
  int minor_version = 1;
  Headers headers;
};

std::string_view ReasonPhrase(int status);

Result<std::string> PercentDecode(std::string_view text);
// Name and value of each "a=b" between "&", decoded ("+" is a space); what cannot be decoded is
// kept as it is.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view query);
// The value of the first parameter `name`.
std::optional<std::string> QueryParameter(std::string_view query, std::string_view name);

}  // namespace updraft::http

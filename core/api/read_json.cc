#include "core/api/read.h"
#include "core/api/tree_builder.h"

namespace updraft::api {
namespace {

// The events of nlohmann's parser, whose own tree would know neither depth nor duplicates.
class JsonEvents : public nlohmann::json_sax<Json> {
 public:
  explicit JsonEvents(const ReadLimits& limits) : builder_(limits) {}

  bool null() override { return builder_.Add(nullptr); }
  bool boolean(bool value) override { return builder_.Add(value); }
  bool number_integer(number_integer_t value) override { return builder_.Add(value); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value <= uint64_t{INT64_MAX}) return builder_.Add(static_cast<int64_t>(value));
    return builder_.Add(value);
  }
  bool number_float(number_float_t value, const string_t&) override { return builder_.Add(value); }
  bool string(string_t& value) override { return builder_.Add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return builder_.BeginObject(); }
  bool key(string_t& value) override { return builder_.Key(std::move(value)); }
  bool end_object() override { return builder_.End(); }
  bool start_array(size_t) override { return builder_.BeginArray(); }
  bool end_array() override { return builder_.End(); }
  bool parse_error(size_t, const std::string&,
                   const nlohmann::detail::exception& problem) override {
    syntax_ = problem.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    const size_t end = syntax_.find("] ");
    if (end != std::string::npos) syntax_.erase(0, end + 2);
    return false;
  }

  Error error() const {
    if (!builder_.error().empty())
      return {Code::kResourceExhausted, "the document is " + builder_.error()};
    return {Code::kInvalidArgument, syntax_};
  }
  Document Take() { return builder_.TakeDocument(); }

 private:
  TreeBuilder builder_;
  std::string syntax_;
};

}  // namespace

Result<Document> ReadJson(std::string_view text, const ReadLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Error{Code::kResourceExhausted,
                 "the document is larger than " + std::to_string(limits.bytes_max) + " bytes"};
  }
  JsonEvents events(limits);
  if (!Json::sax_parse(text, &events)) return events.error();
  return events.Take();
}

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80                   ? 1
                          : lead >= 0xc2 && lead < 0xe0 ? 2
                          : lead >= 0xe0 && lead < 0xf0 ? 3
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                                                        : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (size_t j = 1; j < length; ++j) {
      if ((static_cast<unsigned char>(text[i + j]) & 0xc0) != 0x80) return false;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (lead == 0xe0 && second < 0xa0) return false;
    if (lead == 0xed && second >= 0xa0) return false;
    if (lead == 0xf0 && second < 0x90) return false;
    if (lead == 0xf4 && second >= 0x90) return false;
    i += length;
  }
  return true;
}

}  // namespace updraft::api

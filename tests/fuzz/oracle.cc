// llhttp, the parser of Node.js, as a second opinion.
#include <llhttp.h>

#include "core/http/message.h"
#include "tests/fuzz/message_stream.h"

namespace updraft::fuzz {
namespace {

struct Oracle {
  Messages messages;
  bool value_last = true;  // the last piece of a field was of its value
  bool answers_head = false;
  bool head_done = false;
  // Connection among the trailers: it takes that for the head's, which RFC 9110, section 6.5.1, forbids.
  bool connection_behind = false;

  Message& message() { return messages.list.back(); }
};

Oracle& Of(llhttp_t* parser) { return *static_cast<Oracle*>(parser->data); }

int OnBegin(llhttp_t* parser) {
  Of(parser).messages.list.emplace_back();
  Of(parser).value_last = true;
  Of(parser).head_done = false;
  return 0;
}

int OnUrl(llhttp_t* parser, const char* at, size_t size) {
  Of(parser).message().start.append(at, size);
  return 0;
}

int OnFieldName(llhttp_t* parser, const char* at, size_t size) {
  Oracle& oracle = Of(parser);
  if (std::exchange(oracle.value_last, false)) oracle.message().fields.emplace_back();
  oracle.message().fields.back().first.append(at, size);
  return 0;
}

int OnFieldValue(llhttp_t* parser, const char* at, size_t size) {
  Oracle& oracle = Of(parser);
  oracle.value_last = true;
  oracle.message().fields.back().second.append(at, size);
  return 0;
}

int OnFieldEnd(llhttp_t* parser) {
  Oracle& oracle = Of(parser);
  oracle.value_last = true;
  std::string& value = oracle.message().fields.back().second;
  value.resize(value.find_last_not_of(" \t") + 1);
  const std::string& name = oracle.message().fields.back().first;
  if (oracle.head_done && http::EqualsIgnoreCase(name, "connection")) oracle.connection_behind = true;
  return 0;
}

int OnHead(llhttp_t* parser) {
  Oracle& oracle = Of(parser);
  oracle.head_done = true;
  if (parser->type == HTTP_REQUEST) {
    const char* method = llhttp_method_name(static_cast<llhttp_method_t>(parser->method));
    oracle.message().start = std::string(method) + " " + oracle.message().start;
    return 0;
  }
  oracle.message().start = std::to_string(parser->status_code);
  // It leaves it to its user to know which responses have no body.
  const bool bodiless = oracle.answers_head || parser->status_code < 200 ||
                        parser->status_code == 204 || parser->status_code == 304;
  return bodiless ? 1 : 0;
}

int OnBody(llhttp_t* parser, const char* at, size_t size) {
  Of(parser).message().body.append(at, size);
  return 0;
}

int OnEnd(llhttp_t* parser) {
  Oracle& oracle = Of(parser);
  oracle.message().complete = true;
  const bool is_final =
      parser->type == HTTP_RESPONSE && (parser->status_code >= 200 || parser->status_code == 101);
  return is_final ? HPE_PAUSED : 0;
}

Messages Read(std::string_view bytes, llhttp_type_t type, bool answers_head) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_message_begin = OnBegin;
  settings.on_url = OnUrl;
  settings.on_header_field = OnFieldName;
  settings.on_header_value = OnFieldValue;
  settings.on_header_value_complete = OnFieldEnd;
  settings.on_headers_complete = OnHead;
  settings.on_body = OnBody;
  settings.on_message_complete = OnEnd;
  Oracle oracle;
  oracle.answers_head = answers_head;
  llhttp_t parser;
  llhttp_init(&parser, type, &settings);
  parser.data = &oracle;
  llhttp_errno_t error = llhttp_execute(&parser, bytes.data(), bytes.size());
  if (error == HPE_OK && type == HTTP_RESPONSE) error = llhttp_finish(&parser);
  if (error == HPE_OK) return std::move(oracle.messages);
  oracle.messages.over = llhttp_errno_name(error);
  // It knows a list of methods only, and stops by itself where we stop, too.
  const bool limit =
      error == HPE_INVALID_METHOD || error == HPE_PAUSED || error == HPE_PAUSED_UPGRADE ||
      error == HPE_PAUSED_H2_UPGRADE ||
      // Said in an interim response, or in trailers.
      (error == HPE_CLOSED_CONNECTION && (type == HTTP_RESPONSE || oracle.connection_behind));
  oracle.messages.refused = !limit;
  return std::move(oracle.messages);
}

}  // namespace

Messages OracleRequests(std::string_view bytes) { return Read(bytes, HTTP_REQUEST, false); }

Messages OracleResponse(std::string_view bytes, std::string_view method) {
  return Read(bytes, HTTP_RESPONSE, method == "HEAD");
}

}  // namespace updraft::fuzz

#include "node-agent/image/registry_errors.h"

#include <algorithm>
#include <cctype>

#include "node-agent/image/json_fields.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kMessageBytesMax = 300;

// Strangers' words end in conditions and on terminals: one line, printable, bounded.
std::string Printable(std::string text) {
  if (text.size() > kMessageBytesMax) text = text.substr(0, kMessageBytesMax) + "...";
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' ' || c >= 127; }, ' ');
  return text;
}

std::string FirstErrorField(const HttpAnswer& answer, const char* field) {
  const auto document = ParseJson(answer.body);
  const auto* errors = FieldOf(document, "errors");
  if (errors == nullptr || !errors->is_array() || errors->empty()) return "";
  return TextOf(errors->front(), field);
}

Error NotFound(const RegistryAsk& ask, const HttpAnswer& answer) {
  const std::string at = "\"" + ask.repository + "\" at registry " + ask.host;
  const std::string code = FirstErrorField(answer, "code");
  std::string what = "not found: ";
  if (code == "NAME_UNKNOWN" || code == "NAME_INVALID") {
    what += "no repository " + at;
  } else if (ask.reference.empty()) {
    what += "a blob of repository " + at;
  } else {
    const bool digest = ask.reference.find(':') != std::string::npos;
    what += std::string(digest ? "no manifest " : "no tag ") + "\"" + ask.reference +
            "\" in repository " + at;
  }
  return {Code::kNotFound, what + MessageOf(answer)};
}

}  // namespace

std::string MessageOf(const HttpAnswer& answer) {
  std::string message = FirstErrorField(answer, "message");
  if (message.empty()) message = TextOf(ParseJson(answer.body), "details");
  return message.empty() ? "" : ": " + Printable(message);
}

Error TransportError(const std::string& host, const HttpAnswer& answer) {
  using Outcome = HttpAnswer::Outcome;
  switch (answer.outcome) {
    case Outcome::kUnknownHost:
      return {Code::kUnavailable, "unknown host: " + host + ": " + answer.detail};
    case Outcome::kRefused:
      return {Code::kUnavailable, "connection refused: " + host + ": " + answer.detail};
    case Outcome::kNoTls:
      return {Code::kFailedPrecondition,
              "TLS problem: " + host +
                  " does not speak TLS (set plain_http in registries.yaml?): " + answer.detail};
    case Outcome::kTls:
      return {Code::kFailedPrecondition, "TLS problem: " + host + ": " + answer.detail};
    case Outcome::kTooLarge:
      return {Code::kFailedPrecondition, host + ": the answer is larger than the limit"};
    case Outcome::kCancelled:
      return {Code::kCancelled, "cancelled"};
    case Outcome::kSink:
      return answer.sink_error.error();
    case Outcome::kBroken:
    case Outcome::kAnswered:
      break;
  }
  return {Code::kUnavailable, "network error: " + host + ": " + answer.detail};
}

Error AnswerError(const RegistryAsk& ask, const HttpAnswer& answer) {
  const std::string status = std::to_string(answer.status);
  const std::string what = "repository \"" + ask.repository + "\" at registry " + ask.host;
  switch (answer.status) {
    case 401:
      return {Code::kUnauthenticated,
              "unauthorized: credentials are missing or wrong for " + what + MessageOf(answer)};
    case 403:
      return {Code::kPermissionDenied,
              "unauthorized: access denied to " + what + MessageOf(answer)};
    case 404:
      return NotFound(ask, answer);
    case 429:
      return {Code::kUnavailable,
              "too many requests: registry " + ask.host + " answered 429" + MessageOf(answer)};
    default:
      break;
  }
  if (answer.status >= 500) {
    return {Code::kUnavailable, "registry " + ask.host + " answered " + status + MessageOf(answer)};
  }
  return {Code::kFailedPrecondition,
          "registry " + ask.host + " answered " + status + " for " + what + MessageOf(answer)};
}

}  // namespace updraft::node_agent

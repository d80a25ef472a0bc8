#include "activator/inside/dns_answer.h"

#include <cctype>

namespace updraft::activator {
namespace {

constexpr size_t kHeaderBytes = 12;
constexpr size_t kLabelBytesMax = 63;
constexpr size_t kNameBytesMax = 253;
constexpr uint16_t kTypeA = 1;
constexpr uint16_t kTypeAny = 255;
constexpr uint16_t kClassIn = 1;
constexpr uint8_t kResponse = 0x80;
constexpr uint8_t kOpcode = 0x78;
constexpr uint8_t kAuthoritative = 0x04;
constexpr uint8_t kRecursionDesired = 0x01;
// A service that comes or goes is seen at once by who asks again.
constexpr uint32_t kSecondsToLive = 5;

enum class Verdict : uint8_t { kNoError = 0, kFormatError = 1, kNoSuchName = 3, kNotDone = 4, kRefused = 5 };

struct Question {
  std::string name = {};
  uint16_t type = 0;
  uint16_t of_class = 0;
  size_t end = 0;  // of it, in the packet
};

uint8_t ByteAt(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }
uint16_t NumberAt(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(ByteAt(bytes, at) << 8 | ByteAt(bytes, at + 1));
}
void Append(uint16_t number, std::string& out) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 0xff);
}

// nullopt: it does not end in the packet, or has a pointer, which a question never needs.
std::optional<Question> ReadQuestion(std::string_view packet) {
  Question question;
  size_t at = kHeaderBytes;
  while (true) {
    if (at >= packet.size()) return std::nullopt;
    const size_t length = ByteAt(packet, at++);
    if (length == 0) break;
    if (length > kLabelBytesMax || at + length > packet.size()) return std::nullopt;
    if (!question.name.empty()) question.name += '.';
    for (const char c : packet.substr(at, length))
      question.name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (question.name.size() > kNameBytesMax) return std::nullopt;
    at += length;
  }
  if (at + 4 > packet.size()) return std::nullopt;
  question.type = NumberAt(packet, at);
  question.of_class = NumberAt(packet, at + 2);
  question.end = at + 4;
  return question;
}

bool IsIn(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

Verdict Judge(const Question& question, const DnsZone& zone) {
  const bool known = zone.knows(question.name);
  if (!known && !IsIn(question.name, zone.domain)) return Verdict::kRefused;
  return known ? Verdict::kNoError : Verdict::kNoSuchName;
}

std::string Reply(std::string_view query, size_t question_end, Verdict verdict, bool with_address) {
  std::string reply(query.substr(0, 2));
  const uint8_t asked = ByteAt(query, 2);
  reply += static_cast<char>(kResponse | (asked & (kOpcode | kRecursionDesired)) | kAuthoritative);
  reply += static_cast<char>(verdict);
  Append(question_end > kHeaderBytes ? 1 : 0, reply);
  Append(with_address ? 1 : 0, reply);
  Append(0, reply);
  Append(0, reply);
  reply += query.substr(kHeaderBytes, question_end - kHeaderBytes);
  return reply;
}

}  // namespace

std::optional<std::string> AnswerDns(std::string_view query, const DnsZone& zone) {
  if (query.size() < kHeaderBytes || (ByteAt(query, 2) & kResponse) != 0) return std::nullopt;
  if ((ByteAt(query, 2) & kOpcode) != 0) return Reply(query, kHeaderBytes, Verdict::kNotDone, false);
  const std::optional<Question> question = ReadQuestion(query);
  if (NumberAt(query, 4) != 1 || !question) return Reply(query, kHeaderBytes, Verdict::kFormatError, false);
  const Verdict verdict = Judge(*question, zone);
  const bool has_address = verdict == Verdict::kNoError && question->of_class == kClassIn &&
                           (question->type == kTypeA || question->type == kTypeAny);
  std::string reply = Reply(query, question->end, verdict, has_address);
  if (!has_address) return reply;
  Append(0xc000 | kHeaderBytes, reply);  // the question's name
  Append(kTypeA, reply);
  Append(kClassIn, reply);
  Append(kSecondsToLive >> 16, reply);
  Append(kSecondsToLive & 0xffff, reply);
  Append(static_cast<uint16_t>(zone.address.size()), reply);
  for (const uint8_t byte : zone.address) reply += static_cast<char>(byte);
  return reply;
}

}  // namespace updraft::activator

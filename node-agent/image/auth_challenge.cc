#include "node-agent/image/auth_challenge.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace updraft::node_agent {
namespace {

// Walks over RFC 9110's `#challenge` grammar, leniently.
class ChallengeReader {
 public:
  explicit ChallengeReader(std::string_view text) : text_(text) {}

  void SkipSeparators() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == ',')) {
      ++at_;
    }
  }

  bool AtEnd() const { return at_ >= text_.size(); }

  std::string Token() {
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] > ' ' &&
           std::string_view(",=\"").find(text_[at_]) == std::string_view::npos) {
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  // The value after '=', if one is next.
  std::optional<std::string> Value() {
    size_t next = at_;
    while (next < text_.size() && (text_[next] == ' ' || text_[next] == '\t')) ++next;
    if (next >= text_.size() || text_[next] != '=') return std::nullopt;
    at_ = next + 1;
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    if (at_ < text_.size() && text_[at_] == '"') return Quoted();
    return Token();
  }

  void SkipOne() { ++at_; }

 private:
  std::string Quoted() {
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_];
    }
    ++at_;
    return value;
  }

  std::string_view text_;
  size_t at_ = 0;
};

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

std::vector<AuthChallenge> ParseChallenges(std::string_view header) {
  std::vector<AuthChallenge> challenges;
  ChallengeReader reader(header);
  for (reader.SkipSeparators(); !reader.AtEnd(); reader.SkipSeparators()) {
    std::string token = reader.Token();
    if (token.empty()) {
      reader.SkipOne();
      continue;
    }
    const std::optional<std::string> value = reader.Value();
    if (!value.has_value()) {
      challenges.push_back({.scheme = Lower(std::move(token)), .parameters = {}});
    } else if (!challenges.empty()) {
      challenges.back().parameters.emplace(Lower(std::move(token)), *value);
    }
  }
  return challenges;
}

}  // namespace updraft::node_agent

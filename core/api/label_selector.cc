#include <algorithm>
#include <charconv>
#include <optional>

#include "core/api/access.h"
#include "core/api/names.h"
#include "core/api/selectors.h"

namespace updraft::api {
namespace {

enum class Token {
  kEnd,
  kWord,
  kIn,
  kNotIn,
  kComma,
  kOpen,
  kClose,
  kNot,
  kEquals,
  kNotEquals,
  kGreater,
  kLess,
  kBad
};

struct Lexeme {
  Token token = Token::kEnd;
  std::string text;
};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsSymbol(char c) { return std::string_view("=!(),><").find(c) != std::string_view::npos; }

Lexeme TakeSymbol(std::string_view& text) {
  struct Symbol {
    std::string_view text;
    Token token;
  };
  static constexpr Symbol kSymbols[] = {
      {"==", Token::kEquals}, {"!=", Token::kNotEquals}, {"=", Token::kEquals},
      {"!", Token::kNot},     {"(", Token::kOpen},       {")", Token::kClose},
      {",", Token::kComma},   {">", Token::kGreater},    {"<", Token::kLess}};
  for (const Symbol& symbol : kSymbols) {
    if (!text.starts_with(symbol.text)) continue;
    text.remove_prefix(symbol.text.size());
    return {symbol.token, std::string(symbol.text)};
  }
  return {Token::kBad, std::string(text)};
}

std::vector<Lexeme> Scan(std::string_view text) {
  std::vector<Lexeme> lexemes;
  while (true) {
    while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
    if (text.empty()) break;
    if (IsSymbol(text.front())) {
      lexemes.push_back(TakeSymbol(text));
      continue;
    }
    size_t length = 0;
    while (length < text.size() && !IsSymbol(text[length]) && !IsSpace(text[length])) ++length;
    const std::string word(text.substr(0, length));
    text.remove_prefix(length);
    lexemes.push_back({word == "in"      ? Token::kIn
                       : word == "notin" ? Token::kNotIn
                                         : Token::kWord,
                       word});
  }
  lexemes.push_back({});
  return lexemes;
}

std::string Join(const Complaints& complaints) {
  std::string text;
  for (const std::string& complaint : complaints) text += (text.empty() ? "" : "; ") + complaint;
  return text;
}

std::optional<int64_t> ParseOperand(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Error Unparsable(const std::string& why) {
  return {Code::kInvalidArgument, "unable to parse requirement: " + why};
}

}  // namespace

class LabelSelectorParser {
 public:
  explicit LabelSelectorParser(std::string_view text) : lexemes_(Scan(text)) {}

  Result<LabelSelector> Parse() {
    LabelSelector selector;
    if (Peek().token == Token::kEnd) return selector;
    while (true) {
      Result<Requirement> requirement = ParseRequirement();
      if (!requirement) return requirement.error();
      selector.requirements_.push_back(*std::move(requirement));
      const Lexeme next = Take();
      if (next.token == Token::kEnd) return selector;
      if (next.token != Token::kComma) return Unexpected(next, "',' or 'end of string'");
      if (!IsWord(Peek()) && Peek().token != Token::kNot)
        return Unexpected(Peek(), "identifier after ','");
    }
  }

 private:
  using Requirement = LabelSelector::Requirement;
  using Operator = LabelSelector::Operator;

  const Lexeme& Peek() const { return lexemes_[at_]; }
  Lexeme Take() { return at_ + 1 < lexemes_.size() ? lexemes_[at_++] : lexemes_[at_]; }
  // A key or a value may be called "in".
  static bool IsWord(const Lexeme& l) {
    return l.token == Token::kWord || l.token == Token::kIn || l.token == Token::kNotIn;
  }
  static Error Unexpected(const Lexeme& found, std::string_view expected) {
    return {Code::kInvalidArgument,
            "found '" + found.text + "', expected: " + std::string(expected)};
  }

  Result<Requirement> ParseRequirement() {
    Requirement requirement;
    if (Peek().token == Token::kNot) {
      Take();
      requirement.op = Operator::kMissing;
    }
    if (!IsWord(Peek())) return Unexpected(Peek(), "!, identifier, or 'end of string'");
    requirement.key = Take().text;
    const Complaints complaints = CheckQualifiedName(requirement.key);
    if (!complaints.empty()) {
      return Unparsable("<nil>: Invalid value: \"" + requirement.key + "\": " + Join(complaints));
    }
    if (Peek().token == Token::kEnd || Peek().token == Token::kComma) return requirement;
    if (requirement.op == Operator::kMissing) return Unexpected(Peek(), "',' or 'end of string'");
    return ParseValues(std::move(requirement));
  }

  Result<Requirement> ParseValues(Requirement requirement) {
    const Lexeme op = Take();
    switch (op.token) {
      case Token::kIn:
      case Token::kNotIn:
        requirement.op = op.token == Token::kIn ? Operator::kIn : Operator::kNotIn;
        if (Status listed = ParseList(requirement); !listed) return listed.error();
        break;
      case Token::kEquals:
      case Token::kNotEquals:
      case Token::kGreater:
      case Token::kLess:
        requirement.op = op.token == Token::kEquals      ? Operator::kIn
                         : op.token == Token::kNotEquals ? Operator::kNotIn
                         : op.token == Token::kGreater   ? Operator::kGreater
                                                         : Operator::kLess;
        if (Peek().token == Token::kEnd || Peek().token == Token::kComma) {
          requirement.values.emplace_back();
        } else if (IsWord(Peek())) {
          requirement.values.push_back(Take().text);
        } else {
          return Unexpected(Peek(), "identifier");
        }
        break;
      default:
        return Unexpected(op, "in, notin, =, ==, !=, gt, lt");
    }
    return CheckValues(std::move(requirement));
  }

  Status ParseList(Requirement& requirement) {
    if (Peek().token != Token::kOpen)
      return Error{Code::kInvalidArgument, "found '" + Peek().text + "' expected: '('"};
    Take();
    std::string value;
    while (true) {
      const Lexeme next = Take();
      if (IsWord(next)) {
        if (!value.empty()) return Unexpected(next, "',' or ')'");
        value = next.text;
      } else if (next.token == Token::kComma || next.token == Token::kClose) {
        requirement.values.push_back(std::move(value));
        value.clear();
        if (next.token == Token::kClose) return Ok();
      } else {
        return Unexpected(next, "',', ')' or identifier");
      }
    }
  }

  static Result<Requirement> CheckValues(Requirement requirement) {
    const bool compares = requirement.op == Operator::kGreater || requirement.op == Operator::kLess;
    for (size_t i = 0; i < requirement.values.size(); ++i) {
      const std::string& value = requirement.values[i];
      std::string where = "values[" + std::to_string(i) + "]";
      if (compares && !ParseOperand(value)) {
        where.append(": Invalid value: \"").append(value);
        return Unparsable(where + "\": for 'Gt', 'Lt' operators, the value must be an integer");
      }
      const Complaints complaints = CheckLabelValue(value);
      if (complaints.empty()) continue;
      where.append("[").append(requirement.key).append("]: Invalid value: \"").append(value);
      return Unparsable(where + "\": " + Join(complaints));
    }
    return requirement;
  }

  const std::vector<Lexeme> lexemes_;
  size_t at_ = 0;
};

Result<LabelSelector> LabelSelector::Parse(std::string_view text) {
  return LabelSelectorParser(text).Parse();
}

bool LabelSelector::Matches(const Json& labels) const {
  return std::ranges::all_of(requirements_,
                             [&labels](const Requirement& r) { return Holds(r, labels); });
}

bool LabelSelector::Holds(const Requirement& requirement, const Json& labels) {
  const Json* found = Find(labels, {requirement.key});
  const bool exists = found != nullptr && found->is_string();
  const std::string value = exists ? found->get<std::string>() : std::string();
  const bool listed =
      exists && std::ranges::find(requirement.values, value) != requirement.values.end();
  switch (requirement.op) {
    case Operator::kExists:
      return exists;
    case Operator::kMissing:
      return !exists;
    case Operator::kIn:
      return listed;
    case Operator::kNotIn:
      return !listed;
    case Operator::kGreater:
    case Operator::kLess: {
      const std::optional<int64_t> left = exists ? ParseOperand(value) : std::nullopt;
      const std::optional<int64_t> right = ParseOperand(requirement.values.front());
      if (!left || !right) return false;
      return requirement.op == Operator::kGreater ? *left > *right : *left < *right;
    }
  }
  return false;
}

}  // namespace updraft::api

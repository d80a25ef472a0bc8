#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>

#include "core/api/field_error.h"
#include "core/api/go_template_nodes.h"

namespace updraft::api::go_template {
namespace {

// More than any sensible name needs; what nests deeper than this is no name.
constexpr size_t kTextMax = 16 << 10;
constexpr int kDepthMax = 32;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// U+007D '}'
std::string Named(char c) {
  char text[24];
  std::snprintf(text, sizeof text, "U+%04X '%c'",
                static_cast<unsigned>(static_cast<unsigned char>(c)), c);
  return text;
}

class Reader {
 public:
  Reader(const std::string& name, std::string_view text) : name_(name), text_(text) {}

  Result<std::shared_ptr<const List>> ReadAll() {
    if (text_.size() > kTextMax) return Wrong("more than 16 KiB");
    std::shared_ptr<const List> list = ReadList(0);
    if (!failed_ && ended_by_ != "EOF") Fail("unexpected {{" + ended_by_ + "}}");
    if (failed_) return *failed_;
    return list;
  }

 private:
  // ---- places and errors

  Place Here() const {
    const std::string_view before = text_.substr(0, at_);
    const size_t newline = before.rfind('\n');
    const auto column = newline == std::string_view::npos ? at_ : at_ - newline - 1;
    return {.line = 1 + static_cast<int>(std::ranges::count(before, '\n')),
            .column = static_cast<int>(column)};
  }
  Error Wrong(const std::string& what) const {
    return {Code::kInvalidArgument,
            "template: " + name_ + ":" + std::to_string(Here().line) + ": " + what};
  }
  void Fail(const std::string& what) {
    if (!failed_) failed_ = Wrong(what);
  }

  // ---- lists of text and actions

  // Up to {{end}}, {{else ...}} or the end of the text, which `ended_by_` then says.
  std::shared_ptr<const List> ReadList(int depth) {
    auto list = std::make_shared<List>();
    if (depth > kDepthMax) Fail("nested too deeply");
    while (!failed_) {
      ReadText(*list);
      if (at_ == text_.size()) {
        ended_by_ = "EOF";
        return list;
      }
      if (!OpenAction()) continue;
      const std::string word = PeekWord();
      if (word == "end" || word == "else") {
        at_ += word.size();
        ended_by_ = word;
        return list;
      }
      if (word == "if" || word == "with") {
        at_ += word.size();
        list->nodes.emplace_back(ReadBranch(word, depth));
      } else {
        list->nodes.emplace_back(ReadPipeline(word.empty() ? "command" : word, depth));
        CloseAction();
      }
    }
    return list;
  }

  void ReadText(List& list) {
    const size_t open = std::min(text_.find("{{", at_), text_.size());
    std::string_view text = text_.substr(at_, open - at_);
    if (trim_next_) {
      while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
    }
    trim_next_ = false;
    if (text_.substr(open).starts_with("{{- ")) {
      while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
    }
    if (!text.empty()) list.nodes.emplace_back(std::string(text));
    at_ = open;
  }

  // Behind "{{"; false: it was a comment, which is skipped.
  bool OpenAction() {
    at_ += text_.substr(at_).starts_with("{{- ") ? 4 : 2;
    if (!text_.substr(at_).starts_with("/*")) {
      SkipSpace();
      return true;
    }
    const size_t end = text_.find("*/", at_);
    if (end == std::string_view::npos) {
      Fail("unclosed comment");
      return false;
    }
    at_ = end + 2;
    CloseAction();
    return false;
  }

  void CloseAction() {
    SkipSpace();
    if (text_.substr(at_).starts_with("-}}")) {
      trim_next_ = true;
      at_ += 3;
    } else if (text_.substr(at_).starts_with("}}")) {
      at_ += 2;
    } else if (text_.find("}}", at_) == std::string_view::npos) {
      Fail("unclosed action");
    } else {
      Fail("unexpected " + Quoted(text_.substr(at_, 1)) + " in command");
    }
  }

  Branch ReadBranch(const std::string& word, int depth) {
    Branch branch{.kind = word == "if" ? Branch::Kind::kIf : Branch::Kind::kWith};
    branch.condition = ReadPipeline(word, depth);
    CloseAction();
    branch.then = ReadList(depth + 1);
    if (ended_by_ == "else") branch.otherwise = ReadElse(depth);
    if (!failed_ && ended_by_ == "EOF") Fail("unexpected EOF");
    // An {{else if}} ends with the {{end}} of all.
    if (!failed_ && ended_by_ == "end" && !std::exchange(closed_, false)) CloseAction();
    return branch;
  }

  std::shared_ptr<const List> ReadElse(int depth) {
    SkipSpace();
    const std::string word = PeekWord();
    if (word != "if" && word != "with") {
      CloseAction();
      std::shared_ptr<const List> list = ReadList(depth + 1);
      if (ended_by_ == "else") Fail("expected end; found {{else}}");
      return list;
    }
    if (depth > kDepthMax) {
      Fail("nested too deeply");
      return nullptr;
    }
    at_ += word.size();
    auto list = std::make_shared<List>();
    list->nodes.emplace_back(ReadBranch(word, depth + 1));
    closed_ = true;
    return list;
  }

  // ---- pipelines

  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }
  std::string PeekWord() const {
    size_t end = at_;
    while (end < text_.size() && IsWord(text_[end])) ++end;
    return std::string(text_.substr(at_, end - at_));
  }
  bool AtEndOfPipeline() const {
    const std::string_view rest = text_.substr(at_);
    return rest.empty() || rest.starts_with("}}") || rest.starts_with("-}}") ||
           rest.starts_with(")");
  }

  // What a word may be followed by.
  bool AtTerminator() const {
    const std::string_view rest = text_.substr(at_);
    return rest.empty() || IsSpace(rest.front()) || rest.starts_with("}}") ||
           std::string_view(".,|:()").find(rest.front()) != std::string_view::npos;
  }

  Pipeline ReadPipeline(const std::string& context, int depth) {
    Pipeline pipeline;
    if (depth > kDepthMax) Fail("nested too deeply");
    while (!failed_) {
      Command command;
      SkipSpace();
      while (!failed_ && !AtEndOfPipeline() && text_[at_] != '|') {
        command.push_back(ReadOperand(depth));
        SkipSpace();
      }
      if (at_ == text_.size()) Fail("unclosed action");
      if (command.empty()) Fail("missing value for " + context);
      pipeline.commands.push_back(std::move(command));
      if (failed_ || text_[at_] != '|') break;
      ++at_;
    }
    return pipeline;
  }

  Operand ReadOperand(int depth) {
    Operand operand{.place = Here()};
    const size_t begin = at_;
    const char c = text_[at_];
    if (c == '.' || c == '$') {
      operand.what = ReadFields(operand.place);
    } else if (c == '"' || c == '`') {
      operand.what = Literal(ReadString(c));
    } else if (c == '(') {
      ++at_;
      operand.what =
          std::make_shared<const Pipeline>(ReadPipeline("parenthesized pipeline", depth + 1));
      if (!failed_ && text_[at_] != ')') Fail("unclosed left paren");
      ++at_;
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '+') {
      operand.what = Literal(ReadNumber());
    } else {
      ReadName(operand);
    }
    if (at_ > text_.size()) at_ = text_.size();
    const bool word = std::holds_alternative<FieldPath>(operand.what) ||
                      std::holds_alternative<Function>(operand.what);
    if (word && !AtTerminator()) Fail("bad character " + Named(text_[at_]));
    operand.text = text_.substr(begin, at_ - begin);
    return operand;
  }

  // Of several fields, the second is the place that Go names; below the root, the first.
  FieldPath ReadFields(Place& place) {
    FieldPath path{.from_root = text_[at_] == '$'};
    if (path.from_root) {
      ++at_;
      if (const std::string word = PeekWord(); !word.empty())
        Fail("undefined variable " + Quoted("$" + word));
    }
    while (at_ < text_.size() && text_[at_] == '.') {
      if (path.names.size() == (path.from_root ? 0U : 1U)) place = Here();
      ++at_;
      const std::string word = PeekWord();
      if (word.empty()) break;
      path.names.push_back(word);
      at_ += word.size();
    }
    return path;
  }

  std::string ReadString(char quote) {
    std::string value;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && quote == '"' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_];
    }
    if (at_ == text_.size()) Fail("unterminated quoted string");
    ++at_;
    return value;
  }

  int64_t ReadNumber() {
    const size_t begin = at_++;
    while (at_ < text_.size() && (IsWord(text_[at_]) || text_[at_] == '.')) ++at_;
    std::string_view digits = text_.substr(begin, at_ - begin);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size())
      Fail("bad number syntax: " + Quoted(digits));
    return value;
  }

  void ReadName(Operand& operand) {
    const std::string word = PeekWord();
    at_ += std::max<size_t>(word.size(), 1);
    if (!word.empty() && !AtTerminator()) Fail("bad character " + Named(text_[at_]));
    if (word == "true" || word == "false") {
      operand.what = Literal(word == "true");
    } else if (word.empty()) {
      Fail("unexpected " + Quoted(text_.substr(at_ - 1, 1)) + " in operand");
    } else if (!IsFunction(word)) {
      Fail("function " + Quoted(word) + " not defined");
    } else {
      operand.what = Function{word};
    }
  }

  const std::string& name_;
  const std::string_view text_;
  size_t at_ = 0;
  bool trim_next_ = false;
  bool closed_ = false;  // the {{end}} of an {{else if}} was read to its end
  std::string ended_by_ = "EOF";
  std::optional<Error> failed_;
};

}  // namespace

Result<std::shared_ptr<const List>> Read(const std::string& name, std::string_view text) {
  return Reader(name, text).ReadAll();
}

}  // namespace updraft::api::go_template

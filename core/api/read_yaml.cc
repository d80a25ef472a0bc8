#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "core/api/read.h"
#include "core/api/tree_builder.h"

namespace updraft::api {
namespace {

std::string At(const YAML::Mark& mark) {
  return "yaml: line " + std::to_string(mark.line + 1) + ", column " +
         std::to_string(mark.column + 1) + ": ";
}

bool IsForbiddenControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x7f || (byte < 0x20 && c != '\t' && c != '\n' && c != '\r');
}

// A value as the key that go-yaml makes of it.
std::string KeyText(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// yaml-cpp's events. It calls these while it parses and cannot be told to stop: after an error the
// rest of the text is read past.
class YamlEvents : public YAML::EventHandler {
 public:
  explicit YamlEvents(const ReadLimits& limits)
      : limits_(limits), builder_(std::make_unique<TreeBuilder>(limits)) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp leaves what it cannot place (a comma at the top) where it is, and finds one empty
    // document after the other before it.
    if (mark.pos == started_at_) Fail(mark, "did not find the expected document");
    started_at_ = mark.pos;
    builder_ = std::make_unique<TreeBuilder>(limits_);
    anchors_.clear();
    pending_.clear();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Value(mark, nullptr, anchor, false);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (Failed()) return;
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) return Fail(mark, "an alias refers to what contains it");
    Value(mark, found->second, YAML::NullAnchor, false);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (Failed()) return;
    // "?" is a plain scalar without a tag, "!" a quoted one.
    const bool merge = tag == "?" && value == "<<";
    Result<Json> resolved = tag == "?" ? ResolvePlainScalar(value) : Tagged(tag, value);
    if (!resolved) return Fail(mark, resolved.error().message);
    Value(mark, *std::move(resolved), anchor, merge);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Begin(mark, anchor, false);
  }
  void OnSequenceEnd() override { End(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Begin(mark, anchor, true);
  }
  void OnMapEnd() override { End(); }

  bool Failed() const { return error_.has_value(); }
  const Error& error() const { return *error_; }
  Document Take() { return builder_->TakeDocument(); }

 private:
  // What is known of an open map or sequence besides what the builder holds.
  struct Open {
    YAML::Mark mark;
    YAML::anchor_t anchor = YAML::NullAnchor;
    bool merge_next = false;  // the key `<<` was read
    std::vector<Json> merges = {};
  };

  static Result<Json> Tagged(const std::string& tag, const std::string& value) {
    constexpr std::string_view kPrefix = "tag:yaml.org,2002:";
    const std::string name = tag.starts_with(kPrefix) ? tag.substr(kPrefix.size()) : tag;
    if (name == "!" || name == "str" || name == "timestamp") return Json(value);
    if (name != "int" && name != "float" && name != "bool" && name != "null") {
      return Error{Code::kInvalidArgument, "the tag " + tag + " is not supported"};
    }
    Result<Json> resolved = ResolvePlainScalar(value);
    if (!resolved) return resolved;
    const bool fits = (name == "int" && resolved->is_number_integer()) ||
                      (name == "float" && resolved->is_number()) ||
                      (name == "bool" && resolved->is_boolean()) ||
                      (name == "null" && resolved->is_null());
    if (!fits) return Error{Code::kInvalidArgument, "cannot decode `" + value + "` as a !!" + name};
    return resolved;
  }

  void Value(const YAML::Mark& mark, Json value, YAML::anchor_t anchor, bool is_merge_key) {
    if (Failed()) return;
    if (anchor != YAML::NullAnchor) anchors_[anchor] = value;
    if (builder_->WantsKey() && !MergePending()) {
      if (value.is_structured()) return Fail(mark, "a key must be a scalar");
      if (is_merge_key) {
        pending_.back().merge_next = true;
        return;
      }
      if (value.is_null()) return Fail(mark, "a key must not be null");
      Check(mark, builder_->Key(KeyText(value)));
      return;
    }
    if (MergePending()) return TakeMerge(mark, std::move(value));
    Check(mark, builder_->Add(std::move(value)));
  }

  bool MergePending() const { return !pending_.empty() && pending_.back().merge_next; }

  void TakeMerge(const YAML::Mark& mark, Json value) {
    Open& open = pending_.back();
    open.merge_next = false;
    if (value.is_object()) {
      open.merges.push_back(std::move(value));
      return;
    }
    bool maps = value.is_array();
    if (maps) {
      for (Json& element : value) {
        maps = maps && element.is_object();
        open.merges.push_back(std::move(element));
      }
    }
    if (!maps) Fail(mark, "map merge requires map or sequence of maps as the value");
  }

  void Begin(const YAML::Mark& mark, YAML::anchor_t anchor, bool map) {
    if (Failed()) return;
    if (builder_->WantsKey() && !MergePending()) return Fail(mark, "a key must be a scalar");
    pending_.push_back({.mark = mark, .anchor = anchor});
    Check(mark, map ? builder_->BeginObject() : builder_->BeginArray());
  }

  void End() {
    if (Failed()) return;
    Open open = std::move(pending_.back());
    pending_.pop_back();
    const bool simple = open.merges.empty() && open.anchor == YAML::NullAnchor && !MergePending();
    if (simple) {
      Check(open.mark, builder_->End());
      return;
    }
    Json value = builder_->Take();
    for (const Json& merge : open.merges) {
      for (const auto& [key, inner] : merge.items()) {
        if (!value.contains(key)) value[key] = inner;
      }
    }
    Value(open.mark, std::move(value), open.anchor, false);
  }

  void Check(const YAML::Mark& mark, bool added) {
    if (!added && !Failed()) {
      error_ = Error{Code::kResourceExhausted, At(mark) + "the document is " + builder_->error()};
    }
  }

  void Fail(const YAML::Mark& mark, const std::string& why) {
    if (!Failed()) error_ = Error{Code::kInvalidArgument, At(mark) + why};
  }

  const ReadLimits limits_;
  std::unique_ptr<TreeBuilder> builder_;
  std::vector<Open> pending_;
  std::map<YAML::anchor_t, Json> anchors_;
  int started_at_ = -1;  // where the last document began
  std::optional<Error> error_;
};

}  // namespace

Result<std::vector<Document>> ReadYaml(std::string_view text, const ReadLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Error{Code::kResourceExhausted,
                 "the document is larger than " + std::to_string(limits.bytes_max) + " bytes"};
  }
  if (!IsUtf8(text)) return Error{Code::kInvalidArgument, "yaml: invalid UTF-8"};
  // A zero byte would also make yaml-cpp take the text for UTF-16 or UTF-32.
  if (std::ranges::any_of(text, IsForbiddenControl))
    return Error{Code::kInvalidArgument, "yaml: control characters are not allowed"};
  std::vector<Document> documents;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    YamlEvents events(limits);
    for (size_t count = 1; parser.HandleNextDocument(events); ++count) {
      if (events.Failed()) return events.error();
      if (count > limits.documents_max) {
        return Error{Code::kResourceExhausted,
                     "more than " + std::to_string(limits.documents_max) + " documents"};
      }
      Document document = events.Take();
      if (!document.value.is_null()) documents.push_back(std::move(document));
    }
    if (events.Failed()) return events.error();
  } catch (const YAML::Exception& problem) {
    const std::string where = problem.mark.is_null() ? "yaml: " : At(problem.mark);
    return Error{Code::kInvalidArgument, where + problem.msg};
  } catch (const std::exception& problem) {
    return Error{Code::kInvalidArgument, std::string("yaml: ") + problem.what()};
  }
  return documents;
}

}  // namespace updraft::api

#include <algorithm>
#include <optional>

#include "core/api/access.h"
#include "core/api/invalid_argument.h"
#include "core/api/patch.h"
#include "core/api/read.h"

namespace updraft::api {
namespace {

constexpr size_t kOperationsMax = 10'000;
constexpr size_t kBytesMax =
    8 << 20;  // of copies: a small patch must not grow a document without end

struct Pointer {
  std::vector<std::string> steps;
};

Result<Pointer> ParsePointer(const std::string& text) {
  Pointer pointer;
  if (text.empty()) return pointer;
  if (text.front() != '/') return InvalidArgument("the path " + text + " does not start with /");
  std::string step;
  for (size_t i = 1; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == '/') {
      pointer.steps.push_back(std::move(step));
      step.clear();
    } else if (text[i] == '~') {
      const char next = i + 1 < text.size() ? text[i + 1] : '\0';
      if (next != '0' && next != '1') return InvalidArgument("the path " + text + " has a lone ~");
      step += next == '0' ? '~' : '/';
      ++i;
    } else {
      step += text[i];
    }
  }
  return pointer;
}

// An index of an existing element; nullopt when `step` is none.
std::optional<size_t> Index(const std::string& step, size_t size) {
  if (step.empty() || step.size() > 9 || (step.size() > 1 && step.front() == '0'))
    return std::nullopt;
  if (step.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const size_t index = std::stoul(step);
  return index < size ? std::optional(index) : std::nullopt;
}

Json* Step(Json& at, const std::string& step) {
  if (at.is_object()) {
    const auto found = at.find(step);
    return found == at.end() ? nullptr : &*found;
  }
  if (!at.is_array()) return nullptr;
  const std::optional<size_t> index = Index(step, at.size());
  return index ? &at[*index] : nullptr;
}

Json* Resolve(Json& document, const Pointer& pointer, size_t steps) {
  Json* at = &document;
  for (size_t i = 0; i < steps && at != nullptr; ++i) at = Step(*at, pointer.steps[i]);
  return at;
}

size_t DepthOf(const Json& value) {
  size_t deepest = 0;
  if (!value.is_structured()) return 0;
  for (const Json& inner : value) deepest = std::max(deepest, DepthOf(inner));
  return deepest + 1;
}

class Patcher {
 public:
  explicit Patcher(Json document) : document_(std::move(document)) {}

  Status Run(const Json& operation) {
    if (!operation.is_object()) return InvalidArgument("an operation is not an object");
    const std::string op = StringAt(operation, {"op"});
    if (!operation.contains("path") || !operation["path"].is_string())
      return InvalidArgument("an operation has no path");
    path_ = StringAt(operation, {"path"});
    Result<Pointer> path = ParsePointer(path_);
    if (!path) return path.error();
    if (op == "remove") return Remove(*path);
    if (op == "add" || op == "replace" || op == "test") {
      if (!operation.contains("value"))
        return InvalidArgument(op + " of " + path_ + " has no value");
      const Json& value = operation["value"];
      if (op == "add") return Add(*path, value);
      if (op == "replace") return Replace(*path, value);
      return Test(*path, value);
    }
    if (op != "move" && op != "copy") return InvalidArgument("unexpected kind: " + op);
    Result<Pointer> from = ParsePointer(StringAt(operation, {"from"}));
    if (!from) return from.error();
    return Transfer(*from, *path, op == "move");
  }

  Json Take() { return std::move(document_); }

 private:
  Error Missing(std::string_view op) const {
    return InvalidArgument(std::string(op) + " operation does not apply: doc is missing path: \"" +
                           path_ + "\": missing value");
  }

  // What is read is checked for its depth; a patch must not get around that.
  static Status CheckDepth(const Pointer& path, const Json& value) {
    if (path.steps.size() + DepthOf(value) <= ReadLimits().depth_max) return Ok();
    return InvalidArgument("the patch makes the document too deep");
  }

  Status Add(const Pointer& path, Json value) {
    if (Status depth = CheckDepth(path, value); !depth) return depth;
    if (path.steps.empty()) {
      document_ = std::move(value);
      return Ok();
    }
    Json* parent = Resolve(document_, path, path.steps.size() - 1);
    if (parent == nullptr || !parent->is_structured()) return Missing("add");
    const std::string& last = path.steps.back();
    if (parent->is_object()) {
      (*parent)[last] = std::move(value);
      return Ok();
    }
    // One beyond the end is a place, and so is "-".
    const std::optional<size_t> index =
        last == "-" ? std::optional(parent->size()) : Index(last, parent->size() + 1);
    if (!index) return Missing("add");
    parent->insert(parent->begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
    return Ok();
  }

  Status Remove(const Pointer& path) {
    if (path.steps.empty())
      return InvalidArgument("remove operation does not apply: the whole document");
    Json* parent = Resolve(document_, path, path.steps.size() - 1);
    if (parent == nullptr || Step(*parent, path.steps.back()) == nullptr) return Missing("remove");
    if (parent->is_object()) {
      parent->erase(path.steps.back());
    } else {
      parent->erase(*Index(path.steps.back(), parent->size()));
    }
    return Ok();
  }

  Status Replace(const Pointer& path, const Json& value) {
    Json* target = Resolve(document_, path, path.steps.size());
    if (target == nullptr) return Missing("replace");
    if (Status depth = CheckDepth(path, value); !depth) return depth;
    *target = value;
    return Ok();
  }

  Status Test(const Pointer& path, const Json& value) {
    const Json* target = Resolve(document_, path, path.steps.size());
    const bool absent_is_null = target == nullptr && value.is_null();
    if (absent_is_null || (target != nullptr && *target == value)) return Ok();
    return InvalidArgument("testing value " + path_ + " failed: test failed");
  }

  Status Transfer(const Pointer& from, const Pointer& to, bool move) {
    const Json* source = Resolve(document_, from, from.steps.size());
    if (source == nullptr) return Missing(move ? "move" : "copy");
    const bool inside = move && to.steps.size() > from.steps.size() &&
                        std::equal(from.steps.begin(), from.steps.end(), to.steps.begin());
    if (inside)
      return InvalidArgument("move operation does not apply: " + path_ +
                             " is inside of what is moved");
    Json value = *source;
    if (!move) {
      copied_ += ToText(value).size();
      if (copied_ > kBytesMax)
        return InvalidArgument("the patch copies more than " + std::to_string(kBytesMax) +
                               " bytes");
    }
    if (move) {
      if (Status removed = Remove(from); !removed) return removed;
    }
    return Add(to, std::move(value));
  }

  Json document_;
  std::string path_;
  size_t copied_ = 0;
};

}  // namespace

Result<Json> JsonPatch(Json target, const Json& patch) {
  if (!patch.is_array()) return InvalidArgument("a JSON patch is a list of operations");
  if (patch.size() > kOperationsMax) {
    return InvalidArgument("The allowed maximum operations in a JSON patch is " +
                           std::to_string(kOperationsMax) + ", got " +
                           std::to_string(patch.size()));
  }
  Patcher patcher(std::move(target));
  for (const Json& operation : patch) {
    if (Status done = patcher.Run(operation); !done) return done.error();
  }
  return patcher.Take();
}

Json MergePatch(Json target, const Json& patch) {
  if (!patch.is_object()) return patch;
  if (!target.is_object()) target = Json::object();
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null()) {
      target.erase(key);
      continue;
    }
    const auto found = target.find(key);
    target[key] = MergePatch(found == target.end() ? Json() : std::move(*found), value);
  }
  return target;
}

}  // namespace updraft::api

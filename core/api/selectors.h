// Label and field selectors: `labelSelector` and `fieldSelector` of lists and watches. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.h"
#include "core/base/result.h"

namespace updraft::api {

// "a=b, c!=d, e in (f,g), h notin (i), j, !k, l>5". Empty: everything matches.
class LabelSelector {
 public:
  // kInvalidArgument with Kubernetes' words.
  static Result<LabelSelector> Parse(std::string_view text);

  // `labels`: the object under metadata.labels, or anything else for none.
  bool Matches(const Json& labels) const;
  bool empty() const { return requirements_.empty(); }

 private:
  friend class LabelSelectorParser;
  enum class Operator { kExists, kMissing, kIn, kNotIn, kGreater, kLess };
  struct Requirement {
    std::string key = {};
    Operator op = Operator::kExists;
    std::vector<std::string> values = {};
  };

  static bool Holds(const Requirement& requirement, const Json& labels);

  std::vector<Requirement> requirements_;
};

// "metadata.name=x,status.phase!=Running".
class FieldSelector {
 public:
  // `selectable`: the fields that may be named beside metadata.name and metadata.namespace.
  static Result<FieldSelector> Parse(std::string_view text,
                                     std::span<const std::string> selectable);

  bool Matches(const Json& object) const;
  bool empty() const { return requirements_.empty(); }

  // The name that the selector pins, or empty: such a list or watch concerns one object.
  std::string Name() const;

 private:
  struct Requirement {
    std::string field = {};
    std::string value = {};
    bool equal = true;
  };

  std::vector<Requirement> requirements_;
};

}  // namespace updraft::api

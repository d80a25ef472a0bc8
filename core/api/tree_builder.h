// Builds a JSON value from the events of a reader and keeps the reader's limits. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/api/read.h"

namespace updraft::api {

class TreeBuilder {
 public:
  explicit TreeBuilder(const ReadLimits& limits) : limits_(limits) {}

  // Each returns false once a limit was reached; `error` says which. Events after that have no
  // effect.
  bool BeginObject() { return Begin(Json::object()); }
  bool BeginArray() { return Begin(Json::array()); }
  bool Key(std::string key);  // REQUIRES: in an object, no key pending
  bool Add(Json value);       // a value that is complete
  // Ends the innermost object or array. It is added to what holds it.
  bool End();
  // Gives what End() would add, without adding it. REQUIRES: depth() > 0.
  Json Take();

  bool WantsKey() const {
    return !frames_.empty() && frames_.back().value.is_object() && !frames_.back().has_key;
  }
  size_t depth() const { return frames_.size(); }
  const std::string& error() const { return error_; }
  Document TakeDocument();

 private:
  struct Frame {
    Json value = nullptr;
    std::string key = {};
    bool has_key = false;
  };

  bool Begin(Json container);
  bool Count(const Json& value);
  std::string PathOfKey() const;
  bool Fail(std::string why);

  const ReadLimits limits_;
  std::vector<Frame> frames_;
  Document document_;
  size_t values_ = 0;
  std::string error_;
};

}  // namespace updraft::api

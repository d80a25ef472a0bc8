#include "core/api/tree_builder.h"

namespace updraft::api {
namespace {

// Long texts count as several values, so that an alias cannot multiply them for nothing.
size_t WeightOfText(const std::string& text) { return text.size() / 32; }

size_t WeightOf(const Json& value) {
  size_t weight = 1;
  if (value.is_string()) weight += WeightOfText(value.get_ref<const std::string&>());
  if (value.is_array()) {
    for (const Json& inner : value) weight += WeightOf(inner);
  }
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) weight += WeightOfText(key) + WeightOf(inner);
  }
  return weight;
}

}  // namespace

bool TreeBuilder::Key(std::string key) {
  if (!error_.empty()) return false;
  Frame& frame = frames_.back();
  frame.key = std::move(key);
  frame.has_key = true;
  if (frame.value.contains(frame.key)) document_.duplicates.push_back(PathOfKey());
  return true;
}

bool TreeBuilder::Add(Json value) {
  if (!error_.empty() || !Count(value)) return false;
  if (frames_.empty()) {
    document_.value = std::move(value);
    return true;
  }
  Frame& frame = frames_.back();
  if (frame.value.is_array()) {
    frame.value.push_back(std::move(value));
  } else {
    frame.value[frame.key] = std::move(value);
    frame.has_key = false;
  }
  return true;
}

bool TreeBuilder::End() {
  if (!error_.empty()) return false;
  Json value = Take();
  if (frames_.empty()) {
    document_.value = std::move(value);
    return true;
  }
  // Its values were counted when they were added.
  Frame& frame = frames_.back();
  if (frame.value.is_array()) {
    frame.value.push_back(std::move(value));
  } else {
    frame.value[frame.key] = std::move(value);
    frame.has_key = false;
  }
  return true;
}

Json TreeBuilder::Take() {
  Json value = std::move(frames_.back().value);
  frames_.pop_back();
  return value;
}

Document TreeBuilder::TakeDocument() { return std::move(document_); }

bool TreeBuilder::Begin(Json container) {
  if (!error_.empty()) return false;
  if (frames_.size() >= limits_.depth_max) {
    return Fail("nested deeper than " + std::to_string(limits_.depth_max) + " levels");
  }
  if (!Count(container)) return false;
  frames_.push_back({.value = std::move(container)});
  return true;
}

bool TreeBuilder::Count(const Json& value) {
  values_ += WeightOf(value);
  if (values_ <= limits_.values_max) return true;
  return Fail("more than " + std::to_string(limits_.values_max) + " values");
}

std::string TreeBuilder::PathOfKey() const {
  std::string path;
  for (const Frame& frame : frames_) {
    if (frame.value.is_array()) {
      path += "[" + std::to_string(frame.value.size()) + "]";
    } else {
      path += (path.empty() ? "" : ".") + frame.key;
    }
  }
  return path;
}

bool TreeBuilder::Fail(std::string why) {
  error_ = std::move(why);
  return false;
}

}  // namespace updraft::api

// Which stream speaks for which activator. Pure; streams are known by number.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace updraft::autoscaler {

class LoadStreams {
 public:
  using Stream = uint64_t;

  enum class Word {
    kFirst,  // the stream speaks for the activator from now on
    kMore,
    kLate,  // a newer stream does, and began with everything: what this one says is older
  };
  Word Hear(Stream stream, const std::string& activator) {
    const auto [it, first] = speakers_.try_emplace(stream, activator);
    if (first) newest_[activator] = stream;
    const auto newest = newest_.find(it->second);
    if (newest == newest_.end() || newest->second != stream) return Word::kLate;
    return first ? Word::kFirst : Word::kMore;
  }

  // The activator, when nothing speaks for it any more.
  std::optional<std::string> End(Stream stream) {
    auto speaker = speakers_.extract(stream);
    if (speaker.empty()) return std::nullopt;
    const auto newest = newest_.find(speaker.mapped());
    if (newest == newest_.end() || newest->second != stream) return std::nullopt;
    newest_.erase(newest);
    return std::move(speaker.mapped());
  }

 private:
  std::map<Stream, std::string> speakers_;    // since their first word
  std::map<std::string, Stream> newest_;      // of each activator
};

}  // namespace updraft::autoscaler

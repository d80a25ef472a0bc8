// Turns a stream of bytes into log records: one a line, several for a line longer than the limit.
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace updraft::node_agent {

// Holds back the beginning of a line until its end arrives, at most `record_bytes_max` of it.
class LineSplitter {
 public:
  explicit LineSplitter(size_t record_bytes_max) : record_bytes_max_(record_bytes_max) {}

  // Calls emit(content, ends_line) for each record that `bytes` completes.
  template <typename Emit>
  void Feed(std::string_view bytes, const Emit& emit) {
    while (!bytes.empty()) {
      const size_t line_end = bytes.find('\n');
      std::string_view piece = bytes.substr(0, line_end);
      bytes.remove_prefix(line_end == std::string_view::npos ? bytes.size() : line_end + 1);
      while (held_.size() + piece.size() > record_bytes_max_) {
        const size_t fits = record_bytes_max_ - held_.size();
        EmitHeldWith(piece.substr(0, fits), false, emit);
        piece.remove_prefix(fits);
      }
      if (line_end == std::string_view::npos) {
        held_ += piece;
      } else {
        EmitHeldWith(piece, true, emit);
        within_line_ = false;
      }
    }
  }

  // Emits what is held back: with `ends_line` as the end of its line, without as a piece of it.
  template <typename Emit>
  void Flush(bool ends_line, const Emit& emit) {
    if (held_.empty() && !(ends_line && within_line_)) return;
    EmitHeldWith("", ends_line, emit);
    if (ends_line) within_line_ = false;
  }

  bool holds() const { return !held_.empty(); }

 private:
  template <typename Emit>
  void EmitHeldWith(std::string_view piece, bool ends_line, const Emit& emit) {
    if (held_.empty()) {
      emit(piece, ends_line);
    } else {
      held_ += piece;
      emit(std::string_view(held_), ends_line);
      held_.clear();
    }
    within_line_ = !ends_line;
  }

  const size_t record_bytes_max_;
  std::string held_;
  bool within_line_ = false;  // pieces of the current line have been emitted
};

}  // namespace updraft::node_agent

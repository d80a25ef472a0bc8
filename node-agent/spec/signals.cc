#include "node-agent/spec/signals.h"

#include <signal.h>

#include <charconv>
#include <string>

namespace updraft::node_agent {
namespace {

std::optional<int> SignalNumber(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0 || number >= NSIG)
    return std::nullopt;
  return number;
}

}  // namespace

std::optional<int> ParseSignal(std::string_view name) {
  if (const auto number = SignalNumber(name)) return number;
  std::string upper(name);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (upper.starts_with("SIG")) upper.erase(0, 3);
  constexpr std::string_view kRealTime = "RTMIN+";
  if (upper.starts_with(kRealTime)) {
    const auto offset = SignalNumber(std::string_view(upper).substr(kRealTime.size()));
    if (!offset || SIGRTMIN + *offset > SIGRTMAX) return std::nullopt;
    return SIGRTMIN + *offset;
  }
  if (upper == "RTMIN") return SIGRTMIN;
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const char* known = sigabbrev_np(signal);
    if (known != nullptr && upper == known) return signal;
  }
  return std::nullopt;
}

}  // namespace updraft::node_agent

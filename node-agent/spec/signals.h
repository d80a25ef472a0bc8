// Signals as images name them. Pure.
#pragma once

#include <optional>
#include <string_view>

namespace updraft::node_agent {

// "SIGQUIT", "quit", "3", "SIGRTMIN+3"; nullopt: none, or not understood.
std::optional<int> ParseSignal(std::string_view name);

}  // namespace updraft::node_agent

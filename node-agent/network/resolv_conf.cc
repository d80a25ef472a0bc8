#include "node-agent/network/resolv_conf.h"

#include <algorithm>
#include <optional>

namespace updraft::node_agent {
namespace {

std::string_view NextWord(std::string_view& line) {
  const size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
  const size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

bool IsLoopback(std::string_view server) { return server.starts_with("127.") || server == "::1"; }

// nullopt if no name server is left.
std::optional<std::string> WithoutLoopback(std::string_view text) {
  std::string kept;
  bool reachable = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string_view rest = line;
    const std::string_view key = NextWord(rest);
    if (key.empty() || key.starts_with('#') || key.starts_with(';')) continue;
    if (key == "nameserver") {
      if (IsLoopback(NextWord(rest))) continue;
      reachable = true;
    }
    kept += std::string(line) + "\n";
  }
  if (!reachable) return std::nullopt;
  return kept;
}

}  // namespace

std::string ResolvConf(std::string_view host, std::string_view upstream) {
  if (auto own = WithoutLoopback(host)) return *own;
  if (auto real = WithoutLoopback(upstream)) return *real;
  return std::string(host);
}

std::string WithServiceNames(std::string_view conf, std::string_view server, std::string_view ns) {
  std::string search = "search " + std::string(ns) + ".svc.cluster.local svc.cluster.local cluster.local";
  std::string rest;
  while (!conf.empty()) {
    const size_t end = std::min(conf.find('\n'), conf.size());
    const std::string_view line = conf.substr(0, end);
    conf.remove_prefix(std::min(end + 1, conf.size()));
    std::string_view words = line;
    const std::string_view key = NextWord(words);
    if (key != "search" && key != "domain") {
      rest += std::string(line) + "\n";
      continue;
    }
    for (std::string_view word = NextWord(words); !word.empty(); word = NextWord(words)) search += " " + std::string(word);
  }
  return search + "\nnameserver " + std::string(server) + "\n" + rest;
}

}  // namespace updraft::node_agent

#include "node-agent/network/egress_rules.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace updraft::node_agent {
namespace {

constexpr std::string_view kForwardRecord = "chain ip_forward_was_";
constexpr std::string_view kOurTables = "table ip updraft_";

template <typename Use>
void EachLine(std::string_view text, const Use& use) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.front())) != 0) {
      line.remove_prefix(1);
    }
    use(line);
  }
}

std::string CommentOf(const std::string& bridge) { return "\"updraft " + bridge + "\""; }

}  // namespace

std::string TableName(const std::string& bridge) {
  std::string name = "updraft_";
  for (const char c : bridge) {
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return name;
}

std::string EgressRules(const std::string& bridge, const Subnet& subnet,
                        const std::string& ip_forward_before) {
  const std::string table = "table ip " + TableName(bridge);
  // Declared first so that the deletion cannot fail.
  return table + "\ndelete " + table + "\n" + table + " {\n" +
         "  chain postrouting {\n"
         "    type nat hook postrouting priority srcnat; policy accept;\n"
         "    ip saddr " +
         ToString(subnet) + " ip daddr != " + ToString(subnet) + " oifname != \"" + bridge +
         "\" masquerade\n"
         "  }\n"
         "  " +
         std::string(kForwardRecord) + ip_forward_before +
         " {\n"
         "  }\n"
         "}\n";
}

std::string NoEgressRules(const std::string& bridge) {
  const std::string table = "table ip " + TableName(bridge);
  return table + "\ndelete " + table + "\n";
}

std::vector<std::string> OtherTables(std::string_view tables, const std::string& bridge) {
  std::vector<std::string> others;
  EachLine(tables, [&](std::string_view line) {
    if (!line.starts_with(kOurTables)) return;
    const std::string name(line.substr(sizeof("table ip ") - 1));
    if (name != TableName(bridge)) others.push_back(name);
  });
  return others;
}

std::string RecordedIpForward(std::string_view table) {
  std::string value;
  EachLine(table, [&value](std::string_view line) {
    if (line.starts_with(kForwardRecord) && line.size() > kForwardRecord.size()) {
      value = line[kForwardRecord.size()];
    }
  });
  return value;
}

ForwardChain ParseForwardChain(std::string_view chain, const std::string& bridge) {
  ForwardChain parsed;
  EachLine(chain, [&](std::string_view line) {
    if (line.starts_with("type filter") && line.find("policy drop") != std::string_view::npos) {
      parsed.drops = true;
    }
    if (line.find("comment " + CommentOf(bridge)) == std::string_view::npos) return;
    const size_t at = line.find("# handle ");
    if (at == std::string_view::npos) return;
    const std::string_view number = line.substr(at + sizeof("# handle ") - 1);
    uint64_t handle = 0;
    std::from_chars(number.data(), number.data() + number.size(), handle);
    if (handle > 0) parsed.our_rules.push_back(handle);
  });
  parsed.accepts = !parsed.our_rules.empty();
  return parsed;
}

std::string AcceptRules(const std::string& bridge) {
  const std::string insert = "insert rule ip filter FORWARD ";
  const std::string accept = " \"" + bridge + "\" counter accept comment " + CommentOf(bridge);
  return insert + "iifname" + accept + "\n" + insert + "oifname" + accept + "\n";
}

std::string DeleteRules(const std::vector<uint64_t>& handles) {
  std::string text;
  for (const uint64_t handle : handles) {
    text += "delete rule ip filter FORWARD handle " + std::to_string(handle) + "\n";
  }
  return text;
}

}  // namespace updraft::node_agent

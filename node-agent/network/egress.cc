#include "node-agent/network/egress.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "node-agent/network/egress_rules.h"
#include "node-agent/network/netlink.h"
#include "node-agent/network/program.h"

namespace updraft::node_agent {
namespace {

constexpr char kIpForward[] = "/proc/sys/net/ipv4/ip_forward";

std::string RecordFile(const std::string& run) { return run + "/ip_forward.before"; }

std::string ReadWord(const std::string& path) {
  std::string word;
  std::ifstream(path) >> word;
  return word;
}

Status WriteWord(const std::string& path, const std::string& word) {
  std::ofstream file(path);
  file << word << "\n";
  file.flush();
  if (file.good()) return Ok();
  return ErrnoError("write " + path, errno);
}

Result<std::string> Nft(const std::string& rules) { return RunProgram({"nft", "-f", "-"}, rules); }

Result<std::vector<std::string>> TablesOfOthers(const std::string& bridge) {
  const auto tables = RunProgram({"nft", "list", "tables"}, "");
  if (!tables) return tables.error();
  return OtherTables(*tables, bridge);
}

// The value before any bridge of ours: another one may have changed it already.
Result<std::string> IpForwardBefore(const EgressOrder& order) {
  const std::string recorded = ReadWord(RecordFile(order.run));
  if (!recorded.empty()) return recorded;
  const auto others = TablesOfOthers(order.bridge);
  if (!others) return others.error();
  for (const std::string& table : *others) {
    const auto text = RunProgram({"nft", "list", "table", "ip", table}, "");
    const std::string value = text ? RecordedIpForward(*text) : "";
    if (!value.empty()) return value;
  }
  return ReadWord(kIpForward);
}

ForwardChain ReadForwardChain(const std::string& bridge) {
  const auto chain = RunProgram({"nft", "-a", "list", "chain", "ip", "filter", "FORWARD"}, "");
  return chain ? ParseForwardChain(*chain, bridge) : ForwardChain();
}

}  // namespace

Status OpenEgress(const EgressOrder& order) {
  const auto before = IpForwardBefore(order);
  if (!before) return before.error();
  if (Status kept = WriteWord(RecordFile(order.run), *before); !kept) return kept;
  const auto applied = Nft(EgressRules(order.bridge, order.subnet, *before));
  if (!applied) return applied.error();
  const ForwardChain forward = ReadForwardChain(order.bridge);
  if (forward.drops && !forward.accepts) {
    const auto accepted = Nft(AcceptRules(order.bridge));
    if (!accepted) return accepted.error();
  }
  if (ReadWord(kIpForward) == "1") return Ok();
  return WriteWord(kIpForward, "1");
}

Status CloseEgress(const std::string& bridge, const std::string& run) {
  Status first = Ok();
  const auto note = [&first](const Status& status) {
    if (first && !status) first = status;
  };
  const auto tables = RunProgram({"nft", "list", "tables"}, "");
  if (tables && tables->find("table ip " + TableName(bridge) + "\n") != std::string::npos) {
    const auto removed = Nft(NoEgressRules(bridge));
    if (!removed) note(removed.error());
  }
  const ForwardChain forward = ReadForwardChain(bridge);
  if (!forward.our_rules.empty()) {
    const auto removed = Nft(DeleteRules(forward.our_rules));
    if (!removed) note(removed.error());
  }
  const std::string before = ReadWord(RecordFile(run));
  if (before.empty()) return first;
  const bool needed = tables && !OtherTables(*tables, bridge).empty();
  if (!needed && ReadWord(kIpForward) != before) note(WriteWord(kIpForward, before));
  if (unlink(RecordFile(run).c_str()) != 0) note(ErrnoError("remove " + RecordFile(run), errno));
  return first;
}

}  // namespace updraft::node_agent

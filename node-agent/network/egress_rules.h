// The nftables rules that let instances reach the world, as text for nft(8).
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node-agent/network/ipv4.h"

namespace updraft::node_agent {

// "updraft_" and the bridge's name, with what nft does not take replaced.
std::string TableName(const std::string& bridge);

// Replaces the bridge's table in one transaction. `ip_forward_before` is kept in it, as the name of
// an empty chain, for other bridges of ours to find.
std::string EgressRules(const std::string& bridge, const Subnet& subnet,
                        const std::string& ip_forward_before);

// Undoes it; no error for nft if there is no such table.
std::string NoEgressRules(const std::string& bridge);

// From the output of `nft list tables`: our tables, that of `bridge` left out.
std::vector<std::string> OtherTables(std::string_view tables, const std::string& bridge);

// From the output of `nft list table ip NAME`: the value that was given as ip_forward_before, or
// empty.
std::string RecordedIpForward(std::string_view table);

// Docker and firewalls may drop all that is forwarded, in chain FORWARD of table `ip filter`, and
// no verdict of another table can undo that. From the output of `nft -a list chain ip filter
// FORWARD`:
struct ForwardChain {
  bool drops = false;               // unless a rule accepts
  bool accepts = false;             // our rules are there
  std::vector<uint64_t> our_rules;  // handles
};
ForwardChain ParseForwardChain(std::string_view chain, const std::string& bridge);

// Rules to put in front, of the kind that iptables-nft can still list; and to take out again.
std::string AcceptRules(const std::string& bridge);
std::string DeleteRules(const std::vector<uint64_t>& handles);

}  // namespace updraft::node_agent

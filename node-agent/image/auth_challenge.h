// How a registry asks for credentials: the WWW-Authenticate header.
//
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace updraft::node_agent {

struct AuthChallenge {
  std::string scheme;                             // lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  // names in lower case
};

// One header may hold several challenges. What cannot be understood is left out.
std::vector<AuthChallenge> ParseChallenges(std::string_view header);

}  // namespace updraft::node_agent

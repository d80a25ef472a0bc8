// Bearer tokens: fetched where a registry's challenge says, and kept until they expire.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "node-agent/image/auth_challenge.h"
#include "node-agent/image/http_client.h"
#include "node-agent/image/registry_endpoints.h"

namespace updraft::node_agent {

// What a token is for, and whose it is.
struct TokenQuery {
  std::string realm;  // URL of the service, from the challenge
  std::string service;
  std::string scope;  // "repository:NAME:pull"
  RegistryCredential credential;

  std::string Key() const;
};

// nullopt if the challenge has no usable realm. `scope` where the challenge names none.
std::optional<TokenQuery> QueryOf(const AuthChallenge& challenge, const std::string& scope,
                                  const RegistryCredential& credential);

// "Basic dXNlcjpwYXNz"
std::string BasicAuthorization(const std::string& username, const std::string& password);

// Safe for concurrent use.
class TokenService {
 public:
  // Both must outlive the service.
  TokenService(HttpClient& http, const Clock& clock) : http_(http), clock_(clock) {}

  // "Bearer ..." from memory, without asking anyone.
  std::optional<std::string> Known(const TokenQuery& query);

  // Asks the service and remembers. kUnauthenticated if it refuses.
  Result<std::string> Fetch(const TokenQuery& query, CancelToken& cancel);

 private:
  struct Token {
    std::string authorization;
    TimePoint expires;
  };

  HttpClient& http_;
  const Clock& clock_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::map<std::string, Token> tokens_;
};

}  // namespace updraft::node_agent

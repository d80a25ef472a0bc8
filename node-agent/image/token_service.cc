#include "node-agent/image/token_service.h"

#include <openssl/evp.h>

#include <algorithm>

#include "node-agent/image/digest.h"
#include "node-agent/image/http_url.h"
#include "node-agent/image/json_fields.h"
#include "node-agent/image/registry_errors.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kTokensMax = 1000;
constexpr size_t kTokenBytesMax = 1 << 20;
constexpr int64_t kLifetimeDefault = 60;  // seconds, where the service names none
constexpr Seconds kExpirySlack = Seconds(10);

std::string Base64(const std::string& text) {
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  encoded.resize(static_cast<size_t>(length));
  return encoded;
}

HttpRequest RequestFor(const TokenQuery& query) {
  HttpRequest request;
  request.body_bytes_max = kTokenBytesMax;
  const RegistryCredential& credential = query.credential;
  if (!credential.identity_token.empty()) {
    request.method = HttpRequest::Method::kPost;
    request.url = query.realm;
    request.form =
        "grant_type=refresh_token&client_id=updraft&service=" + UrlEscape(query.service) +
        "&scope=" + UrlEscape(query.scope) +
        "&refresh_token=" + UrlEscape(credential.identity_token);
    return request;
  }
  const char separator = query.realm.find('?') == std::string::npos ? '?' : '&';
  request.url = query.realm + separator + "scope=" + UrlEscape(query.scope);
  if (!query.service.empty()) request.url += "&service=" + UrlEscape(query.service);
  if (!credential.username.empty()) {
    request.url += "&account=" + UrlEscape(credential.username);
    request.authorization = BasicAuthorization(credential.username, credential.password);
  }
  return request;
}

}  // namespace

std::string TokenQuery::Key() const {
  // A digest, so that passwords are not kept as keys.
  return DigestOf(realm + '\n' + service + '\n' + scope + '\n' + credential.username + '\n' +
                  credential.password + '\n' + credential.identity_token);
}

std::optional<TokenQuery> QueryOf(const AuthChallenge& challenge, const std::string& scope,
                                  const RegistryCredential& credential) {
  const auto parameter = [&challenge](const char* name) {
    const auto it = challenge.parameters.find(name);
    return it == challenge.parameters.end() ? std::string() : it->second;
  };
  TokenQuery query{.realm = parameter("realm"),
                   .service = parameter("service"),
                   .scope = parameter("scope"),
                   .credential = credential};
  if (query.scope.empty()) query.scope = scope;
  if (!query.realm.starts_with("https://") && !query.realm.starts_with("http://")) {
    return std::nullopt;
  }
  return query;
}

std::string BasicAuthorization(const std::string& username, const std::string& password) {
  return "Basic " + Base64(username + ":" + password);
}

std::optional<std::string> TokenService::Known(const TokenQuery& query) {
  const std::lock_guard lock(mutex_);
  const auto it = tokens_.find(query.Key());
  if (it == tokens_.end() || it->second.expires <= clock_.Now()) return std::nullopt;
  return it->second.authorization;
}

Result<std::string> TokenService::Fetch(const TokenQuery& query, CancelToken& cancel) {
  const HttpAnswer answer = http_.Perform(RequestFor(query), cancel);
  const std::string asking = "token service " + query.realm;
  if (answer.outcome != HttpAnswer::Outcome::kAnswered) return TransportError(asking, answer);
  if (answer.status >= 400 && answer.status < 500 && answer.status != 429) {
    return Error{Code::kUnauthenticated, "unauthorized: " + asking + " answered " +
                                             std::to_string(answer.status) + MessageOf(answer)};
  }
  const auto document = ParseJson(answer.body);
  std::string token = TextOf(document, "token");
  if (token.empty()) token = TextOf(document, "access_token");
  if (answer.status != 200 || token.empty()) {
    return Error{Code::kUnavailable, asking + " answered " + std::to_string(answer.status) +
                                         " without a token" + MessageOf(answer)};
  }
  const int64_t given = IntegerOf(document, "expires_in");
  const Seconds lifetime(std::clamp<int64_t>(given > 0 ? given : kLifetimeDefault, 1, 86'400));
  std::string authorization = "Bearer " + token;
  const std::lock_guard lock(mutex_);
  if (tokens_.size() >= kTokensMax) tokens_.clear();
  // One that expires at once still serves the request that it was fetched for.
  tokens_[query.Key()] = {authorization, clock_.Now() + lifetime - kExpirySlack};
  return authorization;
}

}  // namespace updraft::node_agent

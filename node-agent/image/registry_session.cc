#include "node-agent/image/registry_session.h"

#include <algorithm>
#include <charconv>
#include <random>

#include "node-agent/image/digest.h"
#include "node-agent/image/http_url.h"

namespace updraft::node_agent {
namespace {

using Outcome = HttpAnswer::Outcome;

const std::vector<std::string>& ManifestAccepts() {
  static const std::vector<std::string> kAccepts = {std::string("Accept: ") + kOciIndex + ", " +
                                                    kOciManifest + ", " + kDockerList + ", " +
                                                    kDockerManifest};
  return kAccepts;
}

bool IsGood(const HttpAnswer& answer) {
  return answer.outcome == Outcome::kAnswered && answer.status >= 200 && answer.status < 300;
}

bool IsRefusal(const HttpAnswer& answer) {
  return answer.outcome == Outcome::kAnswered && (answer.status == 401 || answer.status == 403);
}

// Whether the same request may fare better in a moment. A transfer that broke in the middle of a
// sink's bytes is for the caller to go on with.
bool IsWorthAnotherTry(const HttpAnswer& answer, bool has_sink) {
  switch (answer.outcome) {
    case Outcome::kAnswered:
      return answer.status >= 500 || answer.status == 429;
    case Outcome::kUnknownHost:
    case Outcome::kRefused:
      return true;
    case Outcome::kBroken:
      return !has_sink;
    case Outcome::kSink:  // without a sink of its own: the token service
      return !has_sink && answer.sink_error.error().code == Code::kUnavailable;
    default:
      return false;
  }
}

double Jitter() {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

std::string HeaderOf(const HttpAnswer& answer, const std::string& name) {
  const auto it = answer.headers.find(name);
  return it == answer.headers.end() ? "" : it->second;
}

}  // namespace

RegistrySession::RegistrySession(const RegistryAccess& access, const ImageReference& image,
                                 const std::vector<RegistryCredential>& offered,
                                 CancelToken& cancel)
    : access_(access), image_(image), cancel_(cancel) {
  for (RegistryEndpoint& endpoint : EndpointsFor(access.config, image.registry)) {
    EndpointState state;
    // A mirror is another party: it gets the password that is configured for it, and no other.
    state.credentials = endpoint.mirror ? CredentialsFor(access.config, endpoint.host, {})
                                        : CredentialsFor(access.config, image.registry, offered);
    state.endpoint = std::move(endpoint);
    endpoints_.push_back(std::move(state));
  }
}

Result<FetchedManifest> RegistrySession::GetManifest(const std::string& reference) {
  Ask ask{.request = {.headers = ManifestAccepts(), .body_bytes_max = kManifestBytesMax},
          .path = "/manifests/" + reference,
          .reference = reference};
  auto answer = Request(ask, {});
  if (!answer) return answer.error();
  FetchedManifest manifest{.bytes = std::move(answer->body),
                           .media_type = HeaderOf(*answer, "content-type"),
                           .digest = ""};
  manifest.digest = DigestOf(manifest.bytes);
  if (IsDigest(reference) && manifest.digest != reference) {
    return Error{Code::kFailedPrecondition, "digest mismatch: manifest " + reference + " of " +
                                                image_.RepositoryName() + " came with digest " +
                                                manifest.digest};
  }
  return manifest;
}

Result<std::string> RegistrySession::ResolveTag(const std::string& tag) {
  const Ask ask{.request = {.method = HttpRequest::Method::kHead, .headers = ManifestAccepts()},
                .path = "/manifests/" + tag,
                .reference = tag};
  const auto answer = Request(ask, {});
  if (answer && IsDigest(HeaderOf(*answer, "docker-content-digest"))) {
    return HeaderOf(*answer, "docker-content-digest");
  }
  // Old registries do not say, some do not know HEAD; and only a GET's refusal says why.
  if (!answer && answer.error().code == Code::kUnavailable) return answer.error();
  auto manifest = GetManifest(tag);
  if (!manifest) return manifest.error();
  return std::move(manifest->digest);
}

Status RegistrySession::GetBlob(const Descriptor& blob, int64_t offset, const BodySink& sink) {
  Ask ask{.request = {}, .path = "/blobs/" + blob.digest};
  if (offset > 0) ask.request.headers.push_back("Range: bytes=" + std::to_string(offset) + "-");
  const auto answer = Request(ask, sink);
  if (!answer) return answer.error();
  return Ok();
}

Result<HttpAnswer> RegistrySession::Request(const Ask& ask, const BodySink& sink) {
  bool delivered = false;
  BodySink watched;
  if (sink) {
    watched = [&sink, &delivered](int status, std::string_view bytes) {
      delivered = true;
      return sink(status, bytes);
    };
  }
  const size_t preferred = Preferred();
  auto best = RequestAt(preferred, ask, watched);
  for (size_t index = 0; index < endpoints_.size(); ++index) {
    if (best || delivered || cancel_.cancelled()) break;
    if (index == preferred) continue;
    auto next = RequestAt(index, ask, watched);
    // What the registry itself says is worth more than what a mirror says.
    if (next || !StateOf(index).endpoint.mirror) best = std::move(next);
    if (best) Prefer(index);
  }
  // The rest of a body that a mirror broke off is better asked of the registry itself, which comes
  // last.
  if (!best && delivered) Prefer(endpoints_.size() - 1);
  return best;
}

size_t RegistrySession::Preferred() {
  const std::lock_guard lock(mutex_);
  return preferred_;
}

void RegistrySession::Prefer(size_t index) {
  const std::lock_guard lock(mutex_);
  preferred_ = index;
}

Result<HttpAnswer> RegistrySession::RequestAt(size_t index, const Ask& ask, const BodySink& sink) {
  const RegistryEndpoint endpoint = StateOf(index).endpoint;
  const int tries_max = endpoint.mirror ? 1 : access_.retry.tries_max;
  for (int tries = 1;; ++tries) {
    HttpAnswer answer = Authorised(index, ask, sink);
    if (IsGood(answer)) return answer;
    const bool again = IsWorthAnotherTry(answer, static_cast<bool>(sink)) && tries < tries_max;
    if (again && cancel_.Wait(DelayBefore(tries, answer))) continue;
    if (cancel_.cancelled()) return Error{Code::kCancelled, "cancelled"};
    if (answer.outcome != Outcome::kAnswered) return TransportError(endpoint.host, answer);
    return AnswerError(
        {.host = endpoint.host, .repository = image_.repository, .reference = ask.reference},
        answer);
  }
}

Nanos RegistrySession::DelayBefore(int tries, const HttpAnswer& answer) const {
  const Nanos delay = BackoffDelay(access_.retry.backoff, tries, Jitter());
  const std::string wish = HeaderOf(answer, "retry-after");
  int64_t seconds = 0;
  std::from_chars(wish.data(), wish.data() + wish.size(), seconds);
  seconds = std::clamp<int64_t>(seconds, 0, 86'400);
  return std::max(delay, std::min<Nanos>(Seconds(seconds), access_.retry.retry_after_most));
}

HttpAnswer RegistrySession::Authorised(size_t index, const Ask& ask, const BodySink& sink) {
  HttpAnswer answer = PerformAt(index, ask, sink);
  if (!IsRefusal(answer)) return answer;
  const EndpointState state = StateOf(index);
  // A redirect's target that wants credentials does not get the registry's.
  if (OriginOf(answer.url) != OriginOf(state.BaseUrl())) return answer;
  std::vector<RegistryCredential> credentials = state.credentials;
  if (credentials.empty()) credentials.emplace_back();  // a token for nobody in particular
  for (const RegistryCredential& credential : credentials) {
    const auto authorization = AuthorizationFor(answer, credential, state.authorization);
    if (!authorization) {
      if (authorization.error().code == Code::kNotFound) continue;
      answer.outcome = Outcome::kSink;
      answer.sink_error = authorization.error();
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      endpoints_[index].authorization = *authorization;
    }
    HttpAnswer next = PerformAt(index, ask, sink);
    if (!IsRefusal(next)) {
      const std::lock_guard lock(mutex_);
      endpoints_[index].credentials = {credential};
      return next;
    }
    answer = std::move(next);
  }
  return answer;
}

// kNotFound: the challenge asks for nothing that this credential could answer.
Result<std::string> RegistrySession::AuthorizationFor(const HttpAnswer& refusal,
                                                      const RegistryCredential& credential,
                                                      const std::string& refused) {
  for (const AuthChallenge& challenge : ParseChallenges(HeaderOf(refusal, "www-authenticate"))) {
    if (challenge.scheme == "basic" && !credential.username.empty()) {
      return BasicAuthorization(credential.username, credential.password);
    }
    if (challenge.scheme != "bearer") continue;
    const auto query = QueryOf(challenge, "repository:" + image_.repository + ":pull", credential);
    if (!query.has_value()) continue;
    const bool secret = !credential.username.empty() || !credential.identity_token.empty();
    if (secret && refusal.url.starts_with("https://") && !query->realm.starts_with("https://")) {
      return Error{Code::kUnauthenticated,
                   "unauthorized: the token service " + query->realm + " has no TLS"};
    }
    const auto known = access_.tokens.Known(*query);
    if (known.has_value() && *known != refused) return *known;
    return access_.tokens.Fetch(*query, cancel_);
  }
  return Error{Code::kNotFound, "no usable challenge"};
}

HttpAnswer RegistrySession::PerformAt(size_t index, const Ask& ask, const BodySink& sink) {
  const EndpointState state = StateOf(index);
  const std::string rest = "/v2/" + image_.repository + ask.path +
                           (state.endpoint.mirror ? "?ns=" + UrlEscape(image_.registry) : "");
  HttpRequest request = ask.request;
  request.authorization = state.authorization;
  request.url = state.BaseUrl() + rest;
  HttpAnswer answer = access_.http.Perform(request, cancel_, sink);
  const bool other_port = state.endpoint.host.find(':') == std::string::npos;
  const bool no_tls =
      answer.outcome == Outcome::kNoTls || (answer.outcome == Outcome::kRefused && other_port);
  if (!no_tls || !state.endpoint.plain_http_fallback || state.plain_http) return answer;
  EndpointState without_tls = state;
  without_tls.plain_http = true;
  request.url = without_tls.BaseUrl() + rest;
  HttpAnswer plain = access_.http.Perform(request, cancel_, sink);
  if (plain.outcome != Outcome::kAnswered) return plain;
  const std::lock_guard lock(mutex_);
  endpoints_[index].plain_http = true;
  return plain;
}

std::string RegistrySession::EndpointState::BaseUrl() const {
  const std::string& url = endpoint.url;
  return plain_http ? "http" + url.substr(url.find("://")) : url;
}

RegistrySession::EndpointState RegistrySession::StateOf(size_t index) {
  const std::lock_guard lock(mutex_);
  return endpoints_[index];
}

}  // namespace updraft::node_agent

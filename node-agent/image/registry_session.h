// The distribution API for one repository: manifests and blobs, with mirrors, credentials and
// retries.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/backoff.h"
#include "core/base/result.h"
#include "node-agent/image/http_client.h"
#include "node-agent/image/manifest.h"
#include "node-agent/image/reference.h"
#include "node-agent/image/registry_endpoints.h"
#include "node-agent/image/registry_errors.h"
#include "node-agent/image/token_service.h"

namespace updraft::node_agent {

struct RetryPolicy {
  int tries_max = 4;  // without any progress between them
  BackoffPolicy backoff = {.first = Millis(200), .most = Seconds(5)};
  Nanos retry_after_most = Seconds(30);  // of what a registry may ask for
};

// What the sessions of all pulls share; safe for concurrent use.
struct RegistryAccess {
  const RegistriesConfig& config;
  HttpClient& http;
  TokenService& tokens;
  RetryPolicy retry;
};

struct FetchedManifest {
  std::string bytes;
  std::string media_type;
  std::string digest;  // of the bytes
};

// All calls block. Safe for concurrent use.
class RegistrySession {
 public:
  // `access` and `cancel` must outlive the session. `offered` are the credentials that the user
  // gave.
  RegistrySession(const RegistryAccess& access, const ImageReference& image,
                  const std::vector<RegistryCredential>& offered, CancelToken& cancel);

  // `reference` is a tag or a digest; a digest is verified.
  Result<FetchedManifest> GetManifest(const std::string& reference);

  // The digest that a tag stands for now.
  Result<std::string> ResolveTag(const std::string& tag);

  // Streams the blob's bytes from `offset` on into `sink`, whose first argument is 206 if the
  // registry obeyed the offset, else 200: then all bytes come. One try of the transfer itself:
  // kUnavailable if it broke in the middle. More bytes than the descriptor says are an error.
  Status GetBlob(const Descriptor& blob, int64_t offset, const BodySink& sink);

  const RetryPolicy& retry() const { return access_.retry; }
  CancelToken& cancel() const { return cancel_; }

 private:
  struct Ask {
    HttpRequest request;  // without URL
    std::string path;     // below /v2/<repository>
    std::string reference = {};
  };

  // What is known about an endpoint.
  struct EndpointState {
    RegistryEndpoint endpoint;
    std::vector<RegistryCredential> credentials;  // to try, best first
    std::string authorization;                    // that worked, or a token to try
    bool plain_http = false;                      // found to have no TLS

    std::string BaseUrl() const;
  };

  Result<HttpAnswer> Request(const Ask& ask, const BodySink& sink);
  Result<HttpAnswer> RequestAt(size_t index, const Ask& ask, const BodySink& sink);
  HttpAnswer Authorised(size_t index, const Ask& ask, const BodySink& sink);
  HttpAnswer PerformAt(size_t index, const Ask& ask, const BodySink& sink);
  Result<std::string> AuthorizationFor(const HttpAnswer& refusal,
                                       const RegistryCredential& credential,
                                       const std::string& refused);
  Nanos DelayBefore(int tries, const HttpAnswer& answer) const;
  EndpointState StateOf(size_t index);
  size_t Preferred();
  void Prefer(size_t index);

  const RegistryAccess& access_;
  const ImageReference image_;
  CancelToken& cancel_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::vector<EndpointState> endpoints_;
  size_t preferred_ = 0;  // the endpoint that answered last
};

}  // namespace updraft::node_agent

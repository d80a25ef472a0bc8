#include "controller/reconcile/tls_secret.h"

#include "controller/reconcile/keys.h"
#include "core/api/access.h"
#include "core/api/base64.h"
#include "core/http/certificate.h"

namespace updraft::controller {
namespace {

constexpr char kType[] = "kubernetes.io/tls";

std::string Entry(const Json& secret, const char* name) {
  return api::DecodeBase64(api::StringAt(secret, {"data", name})).value_or("");
}

}  // namespace

Result<TlsPair> TlsPairOf(const Json& secret) {
  const std::string called = "secret " + InQuotes(api::NameOf(secret));
  const std::string type = api::StringAt(secret, {"type"});
  if (type != kType) {
    return Error{Code::kInvalidArgument,
                 called + " is of type " + InQuotes(type) + ", not " + InQuotes(kType)};
  }
  TlsPair pair{Entry(secret, "tls.crt"), Entry(secret, "tls.key")};
  const auto certificate = http::Certificate::FromPem(pair.chain, pair.key);
  if (!certificate) return Context(called, certificate.error());
  return pair;
}

}  // namespace updraft::controller

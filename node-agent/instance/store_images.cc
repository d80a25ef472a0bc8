#include "node-agent/instance/store_images.h"

#include <utility>

namespace updraft::node_agent {
namespace {

UsableImage Usable(const UnpackedImage& image) {
  return {.digest = image.digest, .root = image.chain_id, .config = image.config};
}

}  // namespace

std::vector<RegistryCredential> CredentialsOf(const google::protobuf::RepeatedPtrField<v1::ImageAuth>& auth) {
  std::vector<RegistryCredential> credentials;
  for (const v1::ImageAuth& one : auth) {
    credentials.push_back({.registry = one.registry(),
                           .username = one.username(),
                           .password = one.password(),
                           .identity_token = one.identity_token()});
  }
  return credentials;
}

void StoreImages::Ensure(const v1::InstanceSpec& instance, const v1::Container& container, Done done) {
  const ImageRequest request{.image = container.image(),
                             .digest = container.image_digest(),
                             .credentials = CredentialsOf(instance.image_auth()),
                             .policy = ParsePullPolicy(container.image_pull_policy())};
  if (const auto image = store_.Find(request)) return done(Usable(*image));
  store_.Ensure(request, [this, began = loop_.Now(), done = std::move(done)](
                             const Result<std::shared_ptr<const UnpackedImage>>& image) {
    on_pull_(image ? Ok() : Status(image.error()), loop_.Now() - began);
    if (image) {
      done(Usable(**image));
    } else {
      done(image.error());
    }
  });
}

}  // namespace updraft::node_agent

// The image store as instances see it.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "node-agent/image/image_store.h"
#include "node-agent/instance/surroundings.h"

namespace updraft::node_agent {

std::vector<RegistryCredential> CredentialsOf(const google::protobuf::RepeatedPtrField<v1::ImageAuth>& auth);

class StoreImages final : public ImageSource {
 public:
  // An image that was not at hand has been fetched, or could not be.
  using OnPull = std::function<void(const Status& outcome, Nanos took)>;

  // Both must outlive the images.
  StoreImages(Loop& loop, ImageStore& store, OnPull on_pull)
      : loop_(loop), store_(store), on_pull_(std::move(on_pull)) {}

  // From memory, within the call, when the image is there.
  void Ensure(const v1::InstanceSpec& instance, const v1::Container& container, Done done) override;
  void Forget(const UsableImage& image) override { store_.Forget(image.digest); }

 private:
  Loop& loop_;
  ImageStore& store_;
  const OnPull on_pull_;
};

}  // namespace updraft::node_agent

#include "controller/nodes/claim_directories.h"

#include "controller/reconcile/keys.h"
#include "core/api/claim.h"
#include "core/base/check.h"

namespace updraft::controller {

void ClaimDirectories::Start() {
  const auto watch =
      objects_.Watch(resource::kClaims, "", objects_.revision(), [this](const Change& change) {
        if (change.type != Change::Type::kDeleted) return;
        v1::ControllerMessage message;
        message.mutable_remove_claim()->set_directory(api::VolumeOfClaim(*change.object));
        nodes_.TellAll(message);
      });
  UPDRAFT_CHECK(watch.has_value());  // from now on is never too old
  watch_ = *watch;
}

void ClaimDirectories::OnHello(const NodeName& node) {
  v1::ControllerMessage message;
  v1::KeepClaims& kept = *message.mutable_keep_claims();
  for (const auto& claim : objects_.List(resource::kClaims, "").objects)
    kept.add_directories(api::VolumeOfClaim(*claim));
  nodes_.Tell(node, message);
}

}  // namespace updraft::controller

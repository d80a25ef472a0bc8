#include "controller/feeds/route_source.h"

#include <string>
#include <utility>

#include "controller/reconcile/keys.h"
#include "controller/reconcile/route_table.h"
#include "core/api/conditions.h"
#include "core/base/check.h"

namespace updraft::controller {
namespace {

std::string RouteKey(const Json& route) {
  return api::NamespaceOf(route) + "/" + api::NameOf(route);
}

}  // namespace

RouteSource::~RouteSource() { objects_.Unwatch(watch_); }

void RouteSource::Start() {
  for (const auto& route : objects_.List(resource::kRoutes, "").objects) {
    Set(*route);
    if (api::IsConditionTrue(*route, "IngressReady")) routing_.AssumeProgrammed(RouteKey(*route));
  }
  const auto watch =
      objects_.Watch(resource::kRoutes, "", objects_.revision(), [this](const Change& change) {
        if (change.type == Change::Type::kDeleted) {
          routing_.RemoveRoute(RouteKey(*change.object));
        } else {
          Set(*change.object);
        }
      });
  UPDRAFT_CHECK(watch.has_value());  // from now on is never too old
  watch_ = *watch;
}

void RouteSource::SetConfig(ServingConfig config) {
  config_ = std::move(config);
  if (watch_ == 0) return;  // Start() sets them all
  for (const auto& route : objects_.List(resource::kRoutes, "").objects) Set(*route);
}

void RouteSource::Set(const Json& route) {
  const v1::Route built = BuildRoute(route, config_);
  if (built.hosts_size() == 0) {
    routing_.RemoveRoute(RouteKey(route));
  } else {
    routing_.SetRoute(built, RouteFingerprint(built));
  }
}

}  // namespace updraft::controller

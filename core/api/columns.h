// Columns of `kubectl get` for each kind, as Kubernetes and Knative's CRDs print them. Pure.
#pragma once

#include <vector>

#include "core/api/kinds.h"

namespace updraft::api {

std::vector<Column> ServingServiceColumns();
std::vector<Column> ConfigurationColumns();
std::vector<Column> RevisionColumns();
std::vector<Column> RouteColumns();
std::vector<Column> DomainMappingColumns();
std::vector<Column> DomainClaimColumns();

std::vector<Column> NamespaceColumns();
std::vector<Column> SecretColumns();
std::vector<Column> ConfigMapColumns();
std::vector<Column> ServiceAccountColumns();
std::vector<Column> ClaimColumns();
std::vector<Column> CoreServiceColumns();
std::vector<Column> EventColumns();
std::vector<Column> PodColumns();
std::vector<Column> NodeColumns();

}  // namespace updraft::api

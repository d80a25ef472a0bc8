#include "core/api/validate/domain_mapping.h"

#include <string>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/names.h"

namespace updraft::api {
namespace {

constexpr std::string_view kClusterDomain = "cluster.local";

FieldErrors InvalidName(const std::string& name, const std::string& why) {
  return Generic("invalid name " + Quoted(name) + ": " + why, {"name"});
}

}  // namespace

FieldErrors CheckDomainName(const Json& object) {
  FieldErrors errors;
  if (!StringAt(object, {"metadata", "generateName"}).empty())
    errors.Add(DisallowedFields({"generateName"}));
  const std::string name = NameOf(object);
  if (name.empty()) {
    errors.Add(InvalidName(name, "name: Required value"));
    return errors;
  }
  const std::string given = "name: Invalid value: " + Quoted(name) + ": ";
  const Complaints complaints = CheckDns1123Subdomain(name);
  if (!complaints.empty()) {
    errors.Add(InvalidName(name, given + complaints.front()));
  } else if (name.find('.') == std::string::npos) {
    errors.Add(InvalidName(
        name, given + "should be a domain with at least two segments separated by dots"));
  }
  if (name.ends_with("." + std::string(kClusterDomain))) {
    errors.Add(InvalidName(
        name, "must not be a subdomain of cluster local domain " + Quoted(kClusterDomain)));
  }
  return errors;
}

FieldErrors CheckReference(const Json& reference, std::string_view ns) {
  FieldErrors errors;
  for (const char* field : {"name", "kind", "apiVersion"}) {
    if (StringAt(reference, {field}).empty()) errors.Add(MissingField({field}));
  }
  if (!StringAt(reference, {"group"}).empty()) errors.Add(DisallowedFields({"group"}));
  const std::string named = StringAt(reference, {"namespace"});
  if (!named.empty() && named != ns) {
    errors.Add(FieldError{
        .message = "mismatched namespaces",
        .paths = {"namespace"},
        .details = "parent namespace: " + Quoted(ns) + " does not match ref: " + Quoted(named)});
  }
  return errors;
}

}  // namespace updraft::api

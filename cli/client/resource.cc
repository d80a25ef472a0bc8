#include "cli/client/resource.h"

#include <algorithm>
#include <sstream>

#include "cli/client/rest_client.h"

namespace updraft::cli {
namespace {

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Result<std::vector<const api::Kind*>> KindsNamed(const std::string& list) {
  std::vector<const api::Kind*> kinds;
  std::stringstream names(list);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "all") {
      for (const api::Kind& kind : api::Kinds()) {
        if (std::ranges::find(kind.categories, "all") != kind.categories.end())
          kinds.push_back(&kind);
      }
      continue;
    }
    Result<const api::Kind*> kind = KindNamed(name);
    if (!kind) return kind.error();
    kinds.push_back(*kind);
  }
  return kinds;
}

Result<ResourceName> SlashForm(const std::string& argument) {
  const size_t slash = argument.find('/');
  Result<const api::Kind*> kind = KindNamed(argument.substr(0, slash));
  if (!kind) return kind.error();
  ResourceName resource{.kind = *kind, .name = argument.substr(slash + 1)};
  if (resource.name.empty() || resource.name.find('/') != std::string::npos) {
    return Error{Code::kInvalidArgument, "\"" + argument + "\" is not KIND/NAME"};
  }
  return resource;
}

}  // namespace

Result<const api::Kind*> KindNamed(const std::string& name) {
  const api::Kind* kind = api::FindByUserName(LowerCase(name));
  if (kind == nullptr)
    return Error{Code::kInvalidArgument,
                 "the server doesn't have a resource type \"" + name + "\""};
  return kind;
}

Result<std::vector<ResourceName>> ParseResources(const std::vector<std::string>& arguments) {
  if (arguments.empty())
    return Error{Code::kInvalidArgument, "say which kind: KIND [NAME] or KIND/NAME"};
  std::vector<ResourceName> resources;
  const bool slashes = arguments.front().find('/') != std::string::npos;
  if (slashes) {
    for (const std::string& argument : arguments) {
      if (argument.find('/') == std::string::npos) {
        return Error{Code::kInvalidArgument,
                     "\"" + argument + "\": either all arguments are KIND/NAME or none is"};
      }
      Result<ResourceName> resource = SlashForm(argument);
      if (!resource) return resource.error();
      resources.push_back(*std::move(resource));
    }
    return resources;
  }
  Result<std::vector<const api::Kind*>> kinds = KindsNamed(arguments.front());
  if (!kinds) return kinds.error();
  for (const api::Kind* kind : *kinds) {
    if (arguments.size() == 1) resources.push_back({kind, ""});
    for (size_t i = 1; i < arguments.size(); ++i) resources.push_back({kind, arguments[i]});
  }
  return resources;
}

Result<ResourceName> ParseOneResource(const std::vector<std::string>& arguments) {
  Result<std::vector<ResourceName>> resources = ParseResources(arguments);
  if (!resources) return resources.error();
  if (resources->size() != 1 || resources->front().name.empty()) {
    return Error{Code::kInvalidArgument, "say one object: KIND/NAME or KIND NAME"};
  }
  return resources->front();
}

std::string CollectionPath(const api::Kind& kind, const std::string& namespace_name) {
  std::string path =
      kind.group.empty() ? "/api/" + kind.version : "/apis/" + kind.group + "/" + kind.version;
  if (kind.namespaced && !namespace_name.empty())
    path += "/namespaces/" + EscapePathPart(namespace_name);
  return path + "/" + kind.plural;
}

std::string ObjectPath(const api::Kind& kind, const std::string& namespace_name,
                       const std::string& name) {
  return CollectionPath(kind, namespace_name) + "/" + EscapePathPart(name);
}

std::string PrintedKind(const api::Kind& kind) {
  return kind.group.empty() ? kind.singular : kind.singular + "." + kind.group;
}

std::string PrintedName(const api::Kind& kind, const std::string& name) {
  return PrintedKind(kind) + "/" + name;
}

}  // namespace updraft::cli

#include "controller/api_server/pod_container.h"

#include <vector>

#include "core/api/access.h"
#include "core/api/constants.h"
#include "core/api/meta.h"

namespace updraft::controller {

ApiResult<std::string> ChooseContainer(const Json& pod, const std::string& asked) {
  std::vector<std::string> names;
  for (const char* list : {"containers", "initContainers"}) {
    for (const Json& container : api::ArrayAt(pod, {"spec", list}))
      names.push_back(api::StringAt(container, {"name"}));
  }
  const std::string pod_name = api::NameOf(pod);
  const std::string marked = api::AnnotationOf(pod, api::kDefaultContainerAnnotation);
  const std::string& wanted = asked.empty() ? marked : asked;
  for (const std::string& name : names) {
    if (name == wanted) return name;
  }
  if (!asked.empty()) return BadRequest("container " + asked + " is not valid for pod " + pod_name);
  if (names.size() == 1) return names.front();
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : " ") + name;
  return BadRequest("a container name must be specified for pod " + pod_name +
                    ", choose one of: [" + list + "]");
}

}  // namespace updraft::controller

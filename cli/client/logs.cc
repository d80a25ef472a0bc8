#include <algorithm>

#include "cli/client/newest_instance.h"
#include "cli/client/resource.h"
#include "cli/client/verbs.h"

namespace updraft::cli {
namespace {

// Whose instances are meant: a service's or a revision's.
struct Owner {
  ResourceName resource{};
  std::string label{};  // that its instances carry
};

Status StreamLog(const Session& session, const std::string& pod, const LogsOptions& options) {
  ApiRequest request{.path = ObjectPath(**KindNamed("pods"), session.namespace_name, pod) + "/log",
                     .accept = "*/*"};
  const auto add = [&](const char* name, const std::string& value) {
    request.query.emplace_back(name, value);
  };
  if (!options.container.empty()) add("container", options.container);
  if (options.follow) add("follow", "true");
  if (options.timestamps) add("timestamps", "true");
  if (options.previous) add("previous", "true");
  if (options.tail) add("tailLines", std::to_string(*options.tail));
  if (options.bytes_max) add("limitBytes", std::to_string(*options.bytes_max));
  if (options.since)
    add("sinceSeconds", std::to_string(std::max<int64_t>(
                            1, (*options.since + Seconds(1) - Nanos(1)) / Seconds(1))));
  return session.client.Stream(request, {.on_bytes = [&](std::string_view bytes) {
                                 session.console.out << bytes << std::flush;
                                 return session.console.out.good();
                               }});
}

// The logs of an owner's newest instance; with --follow of one after the other, until interrupted.
int LogsOfOwner(const Session& session, const Owner& owner, const LogsOptions& options) {
  const std::string shown = PrintedName(*owner.resource.kind, owner.resource.name);
  const Result<Json> exists = session.client.Call(
      {.path = ObjectPath(*owner.resource.kind, session.namespace_name, owner.resource.name)});
  if (!exists) return Fail(session.console, exists.error());
  WatchQuery query{.path = CollectionPath(**KindNamed("pods"), session.namespace_name),
                   .selectors = {{"labelSelector", owner.label + "=" + owner.resource.name}}};
  InstanceAge read;
  while (true) {
    std::optional<InstanceAge> next;
    bool said = false;
    const Result<bool> seen = WatchObjects(session.client, query, [&](const ObjectsByName& pods) {
      next = NewestStarted(pods, read);
      if (next || !options.follow) return false;
      if (!std::exchange(said, true))
        session.console.err << shown << " has no " << (read.name.empty() ? "" : "other ")
                            << "instance (scaled to zero): waiting for one" << std::endl;
      return true;
    });
    if (!seen) return Fail(session.console, seen.error());
    if (!next) {
      session.console.err
          << shown << " is scaled to zero: no instance to read logs from. A request starts one.\n";
      return 0;
    }
    if (options.follow && !read.name.empty())
      session.console.err << "instance " << next->name << ":" << std::endl;
    const Status streamed = StreamLog(session, next->name, options);
    // An instance may be gone between the two calls; the next one is what a follower wants.
    const bool gone = !streamed && streamed.error().code == Code::kNotFound && options.follow;
    if (!streamed && !gone) return Fail(session.console, streamed.error());
    if (!options.follow || !session.console.out.good()) return 0;
    read = *next;
  }
}

}  // namespace

int Logs(const Session& session, const LogsOptions& options) {
  std::string pod = options.target;
  if (options.target.find('/') != std::string::npos) {
    const Result<ResourceName> resource = ParseOneResource({options.target});
    if (!resource) return Fail(session.console, resource.error());
    const std::string qualified = resource->kind->QualifiedResource();
    if (qualified == "services.serving.knative.dev")
      return LogsOfOwner(session, {*resource, "serving.knative.dev/service"}, options);
    if (qualified == "revisions.serving.knative.dev")
      return LogsOfOwner(session, {*resource, "serving.knative.dev/revision"}, options);
    if (qualified != "pods")
      return Fail(session.console,
                  {Code::kInvalidArgument,
                   options.target + " has no logs: use POD, ksvc/NAME or rev/NAME"});
    pod = resource->name;
  }
  const Status streamed = StreamLog(session, pod, options);
  return streamed ? 0 : Fail(session.console, streamed.error());
}

}  // namespace updraft::cli

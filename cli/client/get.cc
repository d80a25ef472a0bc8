#include <algorithm>

#include "cli/client/describe.h"
#include "cli/client/resource.h"
#include "cli/client/table.h"
#include "cli/client/verbs.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/read.h"
#include "core/api/write_yaml.h"

namespace updraft::cli {
namespace {

bool WantsTable(const GetOptions& options) {
  return options.output.empty() || options.output == "wide";
}

// The request for one argument: an object, or a collection.
ApiRequest RequestFor(const Session& session, const ResourceName& resource,
                      const GetOptions& options) {
  const std::string namespace_name = options.all_namespaces ? "" : session.namespace_name;
  ApiRequest request{.path = CollectionPath(*resource.kind, namespace_name)};
  if (!resource.name.empty())
    request.path = ObjectPath(*resource.kind, session.namespace_name, resource.name);
  if (!options.selector.empty()) request.query.emplace_back("labelSelector", options.selector);
  if (WantsTable(options)) request.accept = kAcceptTable;
  return request;
}

TableOptions TableOptionsFor(const ResourceName& resource, const GetOptions& options,
                             bool several) {
  return {.wide = options.output == "wide",
          .namespaces = options.all_namespaces && resource.kind->namespaced,
          .headers = options.headers,
          .name_prefix = several ? PrintedKind(*resource.kind) + "/" : ""};
}

// Tables of the same kind are one table: `get ksvc a b`.
std::vector<ResourceName> WithoutRepeats(const std::vector<ResourceName>& resources) {
  std::vector<ResourceName> kinds;
  for (const ResourceName& resource : resources) {
    const bool known = std::ranges::any_of(
        kinds, [&](const ResourceName& kind) { return kind.kind == resource.kind; });
    if (!known) kinds.push_back({resource.kind, ""});
  }
  return kinds;
}

// What could be read is printed even when something else could not.
int PrintTables(const Session& session, const std::vector<ResourceName>& resources,
                const GetOptions& options) {
  int exit_code = 0;
  bool printed = false;
  const std::vector<ResourceName> kinds = WithoutRepeats(resources);
  for (const ResourceName& kind : kinds) {
    std::vector<TableRow> rows;
    for (const ResourceName& resource : resources) {
      if (resource.kind != kind.kind) continue;
      const Result<Json> table = session.client.Call(RequestFor(session, resource, options));
      if (!table) {
        exit_code = Fail(session.console, table.error());
        continue;
      }
      TableOptions shape = TableOptionsFor(resource, options, kinds.size() > 1);
      shape.headers = shape.headers && rows.empty();
      if (api::ArrayAt(*table, {"rows"}).empty()) continue;
      std::ranges::move(RowsOf(*table, shape), std::back_inserter(rows));
    }
    if (rows.empty()) continue;
    session.console.out << (printed ? "\n" : "") << FormatTable(rows) << std::flush;
    printed = true;
  }
  if (!printed && exit_code == 0) {
    const bool everywhere =
        options.all_namespaces ||
        std::ranges::none_of(kinds, [](const ResourceName& kind) { return kind.kind->namespaced; });
    session.console.err << "No resources found"
                        << (everywhere ? "" : " in " + session.namespace_name + " namespace.")
                        << "\n";
  }
  return exit_code;
}

// As kubectl prints them: one object as it is, several as a List.
Json Gathered(std::vector<Json> objects, bool one) {
  if (one && objects.size() == 1) return std::move(objects.front());
  return {{"apiVersion", "v1"},
          {"kind", "List"},
          {"items", std::move(objects)},
          {"metadata", {{"resourceVersion", ""}}}};
}

int PrintObjects(const Session& session, const std::vector<ResourceName>& resources,
                 const GetOptions& options) {
  int exit_code = 0;
  std::vector<Json> objects;
  for (const ResourceName& resource : resources) {
    Result<Json> answer = session.client.Call(RequestFor(session, resource, options));
    if (!answer) {
      exit_code = Fail(session.console, answer.error());
      continue;
    }
    if (!resource.name.empty()) objects.push_back(*answer);
    const size_t first = objects.size() - (resource.name.empty() ? 0 : 1);
    for (const Json& item : api::ArrayAt(*answer, {"items"})) {
      if (!resource.name.empty()) break;
      objects.push_back(item);
      objects.back()["apiVersion"] = resource.kind->ApiVersion();  // a list's items may go without
      objects.back()["kind"] = resource.kind->kind;
    }
    if (options.output != "name") continue;
    for (size_t i = first; i < objects.size(); ++i) {
      session.console.out << PrintedName(*resource.kind, api::NameOf(objects[i])) << "\n";
    }
  }
  if (options.output == "name" || (exit_code != 0 && objects.empty())) return exit_code;
  // For programs that share an object; people are shown the object.
  for (Json& object : objects) api::Erase(object, {"metadata", "managedFields"});
  const Json gathered =
      Gathered(std::move(objects), resources.size() == 1 && !resources.front().name.empty());
  if (options.output == "yaml") {
    session.console.out << api::WriteYaml(gathered);
  } else {
    session.console.out << gathered.dump(4, ' ', false, Json::error_handler_t::replace) << "\n";
  }
  return exit_code;
}

// Prints a collection's rows, then each change as it happens, until the server ends the watch.
int WatchTable(const Session& session, const ResourceName& resource, const GetOptions& options) {
  GetOptions listed = options;
  ResourceName collection{.kind = resource.kind};
  ApiRequest request = RequestFor(session, collection, listed);
  if (!resource.name.empty())
    request.query.emplace_back("fieldSelector", "metadata.name=" + resource.name);
  const Result<Json> table = session.client.Call(request);
  if (!table) return Fail(session.console, table.error());
  TableOptions shape = TableOptionsFor(resource, options, false);
  session.console.out << FormatTable(RowsOf(*table, shape)) << std::flush;
  shape.headers = false;
  request.query.emplace_back("watch", "true");
  request.query.emplace_back("resourceVersion", api::ResourceVersionOf(*table));
  std::string pending;
  const Status watched = session.client.Stream(
      request, {.on_bytes = [&](std::string_view bytes) {
        pending += bytes;
        for (size_t end = 0; (end = pending.find('\n')) != std::string::npos;
             pending.erase(0, end + 1)) {
          const Result<api::Document> event =
              api::ReadJson(std::string_view(pending).substr(0, end));
          if (!event || api::StringAt(event->value, {"type"}) == "ERROR") return false;
          if (api::StringAt(event->value, {"type"}) == "BOOKMARK") continue;
          Json row = api::ObjectAt(event->value, {"object"});
          if (!row.contains("columnDefinitions"))
            row["columnDefinitions"] = api::ArrayAt(*table, {"columnDefinitions"});
          session.console.out << FormatTable(RowsOf(row, shape)) << std::flush;
        }
        return true;
      }});
  return watched ? 0 : Fail(session.console, watched.error());
}

Json EventsAbout(const Session& session, const Json& object) {
  const std::string selector =
      "involvedObject.name=" + api::NameOf(object) + ",involvedObject.uid=" + api::UidOf(object);
  const std::string own = api::NamespaceOf(object);
  const Result<Json> events = session.client.Call(
      {.path = "/api/v1/namespaces/" + EscapePathPart(own.empty() ? "default" : own) + "/events",
       .query = {{"fieldSelector", selector}}});
  return events ? api::ArrayAt(*events, {"items"})
                : Json::array();  // an object is worth showing without its events
}

}  // namespace

int Get(const Session& session, const GetOptions& options) {
  const Result<std::vector<ResourceName>> resources = ParseResources(options.resources);
  if (!resources) return Fail(session.console, resources.error());
  if (options.watch) {
    if (resources->size() == 1 && WantsTable(options))
      return WatchTable(session, resources->front(), options);
    return Fail(session.console,
                {Code::kInvalidArgument, "--watch takes one kind or object, shown as a table"});
  }
  if (WantsTable(options)) return PrintTables(session, *resources, options);
  return PrintObjects(session, *resources, options);
}

int DescribeResources(const Session& session, const DescribeOptions& options) {
  const Result<std::vector<ResourceName>> resources = ParseResources(options.resources);
  if (!resources) return Fail(session.console, resources.error());
  int exit_code = 0;
  bool printed = false;
  for (const ResourceName& resource : *resources) {
    const GetOptions as_json{.output = "json", .selector = options.selector};
    const Result<Json> answer = session.client.Call(RequestFor(session, resource, as_json));
    if (!answer) {
      exit_code = Fail(session.console, answer.error());
      continue;
    }
    const Json objects =
        resource.name.empty() ? api::ArrayAt(*answer, {"items"}) : Json::array({*answer});
    for (Json object : objects) {
      object["apiVersion"] = resource.kind->ApiVersion();
      object["kind"] = resource.kind->kind;
      session.console.out << (printed ? "\n\n" : "")
                          << Describe(object, EventsAbout(session, object));
      printed = true;
    }
  }
  if (!printed && exit_code == 0)
    session.console.err << "No resources found in " << session.namespace_name << " namespace.\n";
  return exit_code;
}

}  // namespace updraft::cli

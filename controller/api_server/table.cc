#include "controller/api_server/table.h"

#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

std::string MetaApiVersion(const Presentation& how) {
  return "meta.k8s.io/" + how.format.meta_version;
}

Json Partial(const Presentation& how, const Json& object) {
  Json partial = Json::object();
  partial["kind"] = "PartialObjectMetadata";
  partial["apiVersion"] = MetaApiVersion(how);
  partial["metadata"] = api::ObjectAt(object, {"metadata"});
  return partial;
}

Json Row(const Presentation& how, const Json& object) {
  Json row = Json::object();
  Json cells = Json::array();
  for (const api::Column& column : how.kind->columns)
    cells.push_back(column.value(object, how.now));
  row["cells"] = std::move(cells);
  if (how.include_object == "Object") {
    row["object"] = object;
  } else if (how.include_object != "None") {
    row["object"] = Partial(how, object);
  }
  return row;
}

Json Columns(const api::Kind& kind) {
  Json definitions = Json::array();
  for (const api::Column& column : kind.columns) {
    Json definition = Json::object();
    definition["name"] = column.name;
    definition["type"] = column.type;
    definition["format"] = column.format;
    definition["description"] = column.description.empty() ? column.name : column.description;
    definition["priority"] = column.priority;
    definitions.push_back(std::move(definition));
  }
  return definitions;
}

Json EmptyTable(const Presentation& how, const std::string& resource_version, Header header) {
  Json table = Json::object();
  table["kind"] = "Table";
  table["apiVersion"] = MetaApiVersion(how);
  table["metadata"] = Json::object();
  table["metadata"]["resourceVersion"] = resource_version;
  table["columnDefinitions"] = header == Header::kWithColumns ? Columns(*how.kind) : Json::array();
  table["rows"] = Json::array();
  return table;
}

}  // namespace

const Json& Shown(const api::Kind& kind, const Json& stored, Json& scratch) {
  if (!kind.from_stored) return stored;
  scratch = kind.from_stored(stored);
  return scratch;
}

Json ListMetadata(int64_t revision, const std::string& continue_token,
                  std::optional<int64_t> remaining) {
  Json metadata = Json::object();
  metadata["resourceVersion"] = std::to_string(revision);
  if (!continue_token.empty()) metadata["continue"] = continue_token;
  if (remaining) metadata["remainingItemCount"] = *remaining;
  return metadata;
}

Json Present(const Presentation& how, const Json& stored, Header header) {
  Json scratch;
  const Json& object = Shown(*how.kind, stored, scratch);
  switch (how.format.shape) {
    case Format::Shape::kPartial:
      return Partial(how, object);
    case Format::Shape::kTable: {
      Json table = EmptyTable(how, api::ResourceVersionOf(object), header);
      table["rows"].push_back(Row(how, object));
      return table;
    }
    default:
      return object;
  }
}

Json PresentList(const Presentation& how, const std::vector<std::shared_ptr<const Json>>& objects,
                 const Json& metadata) {
  Json scratch;
  if (how.format.shape == Format::Shape::kTable) {
    Json table = EmptyTable(how, "", Header::kWithColumns);
    table["metadata"] = metadata;
    for (const auto& object : objects)
      table["rows"].push_back(Row(how, Shown(*how.kind, *object, scratch)));
    return table;
  }
  const bool partial = how.format.shape == Format::Shape::kPartial;
  Json list = Json::object();
  list["kind"] = partial ? "PartialObjectMetadataList" : how.kind->kind + "List";
  list["apiVersion"] = partial ? MetaApiVersion(how) : how.kind->ApiVersion();
  list["metadata"] = metadata;
  Json items = Json::array();
  for (const auto& object : objects)
    items.push_back(partial ? Partial(how, *object) : Shown(*how.kind, *object, scratch));
  list["items"] = std::move(items);
  return list;
}

}  // namespace updraft::controller

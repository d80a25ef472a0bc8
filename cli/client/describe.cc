#include "cli/client/describe.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "cli/client/merge.h"
#include "cli/client/table.h"
#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::cli {
namespace {

constexpr size_t kValueColumn = 14;

// "latestReadyRevisionName" -> "Latest Ready Revision Name".
std::string Title(const std::string& key) {
  std::string title;
  for (size_t i = 0; i < key.size(); ++i) {
    const auto c = static_cast<unsigned char>(key[i]);
    const bool begins =
        i > 0 && std::isupper(c) != 0 && std::isupper(static_cast<unsigned char>(key[i - 1])) == 0;
    if (begins) title += ' ';
    title += static_cast<char>(i == 0 ? std::toupper(c) : c);
  }
  return title;
}

std::string Line(size_t indent, const std::string& key, const std::string& value) {
  std::string line(indent, ' ');
  line += key + ":";
  if (!value.empty()) {
    line.append(line.size() < indent + kValueColumn ? indent + kValueColumn - line.size() : 1, ' ');
    line += value;
  }
  return line + "\n";
}

std::string Scalar(const Json& value) {
  return value.is_string() ? value.get<std::string>() : api::ToText(value);
}

void AppendValue(size_t indent, const Json& value, std::string& text);

void AppendEntry(size_t indent, const std::string& key, const Json& value, std::string& text) {
  if (!value.is_structured()) {
    text += Line(indent, key, Scalar(value));
    return;
  }
  text += Line(indent, key, "");
  AppendValue(indent + 2, value, text);
}

void AppendValue(size_t indent, const Json& value, std::string& text) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) AppendEntry(indent, Title(key), inner, text);
    return;
  }
  for (const Json& item : value) {
    if (item.is_structured()) {
      AppendValue(indent, item, text);
    } else {
      text += std::string(indent, ' ') + Scalar(item) + "\n";
    }
  }
}

void AppendMap(const std::string& title, const Json& map, std::string& text) {
  if (!map.is_object() || map.empty()) {
    text += Line(0, title, "<none>");
    return;
  }
  bool first = true;
  for (const auto& [key, value] : map.items()) {
    const std::string entry = key + ": " + Scalar(value);
    text += first ? Line(0, title, entry) : std::string(kValueColumn, ' ') + entry + "\n";
    first = false;
  }
}

void AppendEvents(Json events, std::string& text) {
  if (events.empty()) {
    text += Line(0, "Events", "<none>");
    return;
  }
  std::sort(events.begin(), events.end(), [](const Json& a, const Json& b) {
    return api::StringAt(a, {"lastTimestamp"}) < api::StringAt(b, {"lastTimestamp"});
  });
  std::vector<TableRow> rows = {{"  Type", "Reason", "Count", "Last", "Message"}};
  for (const Json& event : events) {
    rows.push_back({"  " + api::StringAt(event, {"type"}), api::StringAt(event, {"reason"}),
                    std::to_string(api::IntAt(event, {"count"}, 1)),
                    api::StringAt(event, {"lastTimestamp"}), api::StringAt(event, {"message"})});
  }
  text += "Events:\n" + FormatTable(rows);
}

}  // namespace

std::string Describe(const Json& object, const Json& events) {
  std::string text = Line(0, "Name", api::NameOf(object));
  if (!api::NamespaceOf(object).empty()) text += Line(0, "Namespace", api::NamespaceOf(object));
  AppendMap("Labels", api::ObjectAt(object, {"metadata", "labels"}), text);
  Json annotations = api::ObjectAt(object, {"metadata", "annotations"});
  annotations.erase(std::string(kLastApplied));
  AppendMap("Annotations", annotations, text);
  text += Line(0, "API Version", api::ApiVersionOf(object));
  text += Line(0, "Kind", api::KindOf(object));
  Json rest = api::ObjectAt(object, {"metadata"});
  for (const char* shown : {"name", "namespace", "labels", "annotations", "managedFields"})
    rest.erase(shown);
  AppendEntry(0, "Metadata", rest, text);
  for (const auto& [key, value] : object.items()) {
    if (key != "apiVersion" && key != "kind" && key != "metadata")
      AppendEntry(0, Title(key), value, text);
  }
  AppendEvents(events, text);
  return text;
}

}  // namespace updraft::cli

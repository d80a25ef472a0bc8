#include "controller/api_server/negotiate.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>

#include "core/api/access.h"
#include "core/api/kubernetes_proto.h"
#include "core/api/write_yaml.h"

namespace updraft::controller {
namespace {

struct MediaRange {
  std::string type = {};
  std::map<std::string, std::string> parameters = {};
};

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

MediaRange ParseRange(std::string_view text) {
  MediaRange range;
  bool first = true;
  while (!text.empty()) {
    const size_t semicolon = text.find(';');
    const std::string_view part = Trim(text.substr(0, semicolon));
    text = semicolon == std::string_view::npos ? std::string_view() : text.substr(semicolon + 1);
    if (first) {
      range.type = Lower(part);
      first = false;
      continue;
    }
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos) continue;
    range.parameters[std::string(part.substr(0, equals))] = std::string(part.substr(equals + 1));
  }
  return range;
}

std::string Parameter(const MediaRange& range, const std::string& name) {
  const auto found = range.parameters.find(name);
  return found == range.parameters.end() ? "" : found->second;
}

// In thousandths; one that makes no sense counts as none.
int WeightOf(const MediaRange& range) {
  const std::string text = Parameter(range, "q");
  char* end = nullptr;
  const double weight = std::strtod(text.c_str(), &end);
  const bool sensible = !text.empty() && *end == '\0' && weight >= 0 && weight <= 1;
  return sensible ? static_cast<int>(weight * 1000) : 1000;
}

// Whom a client would rather have: by its own weights, then whoever is said more exactly.
bool IsPreferred(const MediaRange& a, const MediaRange& b) {
  const auto rank = [](const MediaRange& range) {
    const bool any = range.type.starts_with("*/");
    return std::tuple(-WeightOf(range), any, any || range.type.ends_with("/*"));
  };
  return rank(a) < rank(b);
}

std::vector<MediaRange> ParseAccept(std::string_view accept) {
  std::vector<MediaRange> ranges;
  while (!accept.empty()) {
    const size_t comma = accept.find(',');
    const std::string_view part = Trim(accept.substr(0, comma));
    if (!part.empty()) ranges.push_back(ParseRange(part));
    accept = comma == std::string_view::npos ? std::string_view() : accept.substr(comma + 1);
  }
  std::ranges::stable_sort(ranges, IsPreferred);
  return ranges;
}

ApiError UnknownFormat() {
  return UnsupportedMediaType(
      "the body of the request was in an unknown format - accepted media types include: "
      "application/json, application/yaml");
}

ApiResult<api::Document> DecodeProto(const std::string& body) {
  Result<Json> object = api::ReadKubernetesProto(body);
  if (object) return api::Document{.value = *std::move(object)};
  if (object.error().code == Code::kUnimplemented) return UnknownFormat();
  return BadRequest("couldn't read the body: " + object.error().message);
}

bool IsJson(const std::string& type) {
  return type == "application/json" || type == "*/*" || type == "application/*";
}

}  // namespace

ApiResult<Format> ChooseFormat(std::string_view accept) {
  const std::vector<MediaRange> ranges = ParseAccept(accept);
  if (ranges.empty()) return Format{};
  for (const MediaRange& range : ranges) {
    Format format;
    if (range.type == "application/yaml" || range.type == "text/yaml") {
      format.encoding = Format::Encoding::kYaml;
    } else if (!IsJson(range.type)) {
      continue;
    }
    const std::string as = Parameter(range, "as");
    if (as.empty()) return format;
    const std::string version = Parameter(range, "v");
    const bool meta =
        Parameter(range, "g") == "meta.k8s.io" && (version == "v1" || version == "v1beta1");
    if (!meta) continue;
    format.meta_version = version;
    if (as == "Table") format.shape = Format::Shape::kTable;
    if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList")
      format.shape = Format::Shape::kPartial;
    if (format.shape != Format::Shape::kObject) return format;
  }
  return NotAcceptable(
      "only the following media types are accepted: application/json, application/yaml");
}

std::string DiscoveryVersion(std::string_view accept) {
  for (const MediaRange& range : ParseAccept(accept)) {
    if (!IsJson(range.type)) continue;
    std::string version = Parameter(range, "v");
    if (Parameter(range, "as").empty()) return "";
    const bool aggregated = Parameter(range, "as") == "APIGroupDiscoveryList" &&
                            Parameter(range, "g") == "apidiscovery.k8s.io";
    if (aggregated && (version == "v2" || version == "v2beta1")) return version;
  }
  return "";
}

bool WantsOpenApiProto(std::string_view accept) {
  return accept.find("application/com.github.proto-openapi.spec.v2") != std::string_view::npos;
}

std::string ContentType(const Format& format) {
  return format.encoding == Format::Encoding::kYaml ? "application/yaml" : "application/json";
}

std::string Encode(const Json& document, const Format& format, bool pretty) {
  if (format.encoding == Format::Encoding::kYaml) return api::WriteYaml(document);
  if (!pretty) return api::ToText(document) + "\n";
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string MediaType(std::string_view content_type) { return ParseRange(content_type).type; }

ApiResult<api::Document> DecodeBody(std::string_view content_type, const std::string& body) {
  if (body.empty()) return api::Document{};
  const std::string type = MediaType(content_type);
  const bool yaml =
      type == "application/yaml" || type == "text/yaml" || type == "application/apply-patch+yaml";
  const bool json = type.empty() || type == "application/json" || type.ends_with("+json") ||
                    type == "*/*" ||
                    type == "application/x-www-form-urlencoded";  // what curl -d says of anything
  if (type == "application/vnd.kubernetes.protobuf") return DecodeProto(body);
  if (!yaml && !json) return UnknownFormat();
  if (json) {
    Result<api::Document> document = api::ReadJson(body);
    if (document) return *std::move(document);
    if (document.error().code == Code::kResourceExhausted)
      return TooLarge(document.error().message);
    return BadRequest("couldn't read the body: json: " + document.error().message);
  }
  Result<std::vector<api::Document>> documents = api::ReadYaml(body);
  if (!documents) {
    if (documents.error().code == Code::kResourceExhausted)
      return TooLarge(documents.error().message);
    return BadRequest("couldn't read the body: " + documents.error().message);
  }
  if (documents->size() > 1)
    return BadRequest("the body has several YAML documents: send one at a time");
  if (documents->empty()) return api::Document{};
  return std::move(documents->front());
}

}  // namespace updraft::controller

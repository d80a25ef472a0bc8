// Which form a client wants an answer in, and which form it sent a body in. Pure.
#pragma once

#include <string>
#include <string_view>

#include "controller/api_server/api_error.h"
#include "core/api/json.h"
#include "core/api/read.h"

namespace updraft::controller {

struct Format {
  enum class Encoding { kJson, kYaml };
  enum class Shape { kObject, kTable, kPartial };

  Encoding encoding = Encoding::kJson;
  Shape shape = Shape::kObject;
  std::string meta_version = "v1";  // of Table and PartialObjectMetadata: v1 or v1beta1
};

// The first of an Accept header's media types, by their weights, that can be served. Nothing and
// */* mean JSON. NotAcceptable when there is none.
ApiResult<Format> ChooseFormat(std::string_view accept);

// The version of aggregated discovery ("v2", "v2beta1") that comes before plain JSON in an Accept
// header; empty: legacy discovery.
std::string DiscoveryVersion(std::string_view accept);

// True when protobuf is accepted for OpenAPI v2, as old kubectls ask for it.
bool WantsOpenApiProto(std::string_view accept);

std::string ContentType(const Format& format);
std::string Encode(const Json& document, const Format& format, bool pretty);

// The media type alone, in lower case: "application/json".
std::string MediaType(std::string_view content_type);

// A body in JSON, YAML or, for core kinds, Kubernetes' protobuf. BadRequest with line and column,
// UnsupportedMediaType, RequestEntityTooLarge. An empty body is null.
ApiResult<api::Document> DecodeBody(std::string_view content_type, const std::string& body);

inline constexpr size_t kBodyBytesMax = 3 << 20;

}  // namespace updraft::controller

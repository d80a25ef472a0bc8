// The API server over loopback, request by request, and the objects that its tests make.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/api/access.h"
#include "core/api/json.h"
#include "tests/integration/api/api_platform.h"
#include "tests/integration/api/raw_client.h"

namespace updraft::controller {

class ApiTest : public testing::Test {
 protected:
  static constexpr char kServices[] = "/apis/serving.knative.dev/v1/namespaces/default/services";
  static constexpr char kMaps[] = "/api/v1/namespaces/default/configmaps";

  static Json Service(const std::string& name) {
    Json service =
        Json::parse(R"({"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{},
      "spec":{"template":{"spec":{"containers":[{"image":"example.com/hello"}]}}}})");
    service["metadata"]["name"] = name;
    return service;
  }
  static Json Map(const std::string& name, const std::string& value = "1") {
    return Json{{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", {{"name", name}}},
                {"data", {{"a", value}}}};
  }

  Reply Post(const std::string& target, const Json& body) {
    return Send(platform_, "POST", target, body.dump(), {{"Content-Type", "application/json"}});
  }
  Reply Put(const std::string& target, const Json& body) {
    return Send(platform_, "PUT", target, body.dump(), {{"Content-Type", "application/json"}});
  }
  Reply Patch(const std::string& target, const Json& body,
              const std::string& type = "application/merge-patch+json") {
    return Send(platform_, "PATCH", target, body.dump(), {{"Content-Type", type}});
  }
  Reply GetAs(const std::string& target, const std::string& accept = "application/json") {
    return Send(platform_, "GET", target, "", {{"Accept", accept}});
  }
  Reply DeleteIt(const std::string& target, const Json& options = nullptr) {
    return Send(platform_, "DELETE", target, options.is_null() ? "" : options.dump(),
                {{"Content-Type", "application/json"}});
  }
  std::string Reason(const Reply& reply) { return api::StringAt(reply.json(), {"reason"}); }
  std::string Message(const Reply& reply) { return api::StringAt(reply.json(), {"message"}); }
  std::string Version() { return GetAs(kServices).json()["metadata"]["resourceVersion"]; }

  ApiPlatform platform_;
};

}  // namespace updraft::controller

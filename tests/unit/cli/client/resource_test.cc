#include "cli/client/resource.h"

#include <gmock/gmock.h>

namespace updraft::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Parsed(const std::vector<std::string>& arguments) {
  const Result<std::vector<ResourceName>> resources = ParseResources(arguments);
  if (!resources) return {"error: " + resources.error().message};
  std::vector<std::string> shown;
  for (const ResourceName& resource : *resources)
    shown.push_back(PrintedName(*resource.kind, resource.name));
  return shown;
}

TEST(ParseResourcesTest, Forms) {
  EXPECT_THAT(Parsed({"ksvc"}), ElementsAre("service.serving.knative.dev/"));
  EXPECT_THAT(Parsed({"service", "a", "b"}),
              ElementsAre("service.serving.knative.dev/a", "service.serving.knative.dev/b"));
  EXPECT_THAT(Parsed({"Revision/a-00001", "po/x"}),
              ElementsAre("revision.serving.knative.dev/a-00001", "pod/x"));
  EXPECT_THAT(Parsed({"pods,nodes"}), ElementsAre("pod/", "node/"));
  EXPECT_THAT(Parsed({"all"}), testing::Contains("route.serving.knative.dev/"));
}

TEST(ParseResourcesTest, Nonsense) {
  EXPECT_THAT(Parsed({}), ElementsAre(HasSubstr("say which kind")));
  EXPECT_THAT(Parsed({"gizmos"}),
              ElementsAre("error: the server doesn't have a resource type \"gizmos\""));
  EXPECT_THAT(Parsed({"ksvc/a", "b"}), ElementsAre(HasSubstr("either all arguments")));
  EXPECT_THAT(Parsed({"ksvc/"}), ElementsAre(HasSubstr("is not KIND/NAME")));
  EXPECT_FALSE(ParseOneResource({"ksvc"}));
  EXPECT_FALSE(ParseOneResource({"ksvc", "a", "b"}));
  EXPECT_EQ(ParseOneResource({"ksvc", "a"})->name, "a");
}

TEST(PathTest, Forms) {
  const api::Kind& service = **KindNamed("ksvc");
  const api::Kind& node = **KindNamed("node");
  EXPECT_EQ(CollectionPath(service, "shop"),
            "/apis/serving.knative.dev/v1/namespaces/shop/services");
  EXPECT_EQ(CollectionPath(service, ""), "/apis/serving.knative.dev/v1/services");
  EXPECT_EQ(ObjectPath(service, "shop", "a/b"),
            "/apis/serving.knative.dev/v1/namespaces/shop/services/a%2Fb");
  EXPECT_EQ(ObjectPath(node, "shop", "n1"), "/api/v1/nodes/n1");
}

}  // namespace
}  // namespace updraft::cli

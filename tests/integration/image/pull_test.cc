// Pulls from a registry that misbehaves, and from none.
#include <future>

#include "node-agent/image/digest.h"
#include "tests/integration/image/image_test.h"

namespace updraft::node_agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

bool IsBlob(const FakeRequest& request) {
  return request.path.find("/blobs/") != std::string::npos;
}

class PullTest : public ImageTest {
 protected:
  ImageRequest Request(const std::string& tag = "1") const {
    return {.image = registry_.host() + "/app:" + tag};
  }

  // A megabyte-sized layer, so that transfers can break in the middle of it.
  static TestImage Big(unsigned seed) {
    return MakeImage({{.files = {{"data", Noise(3 << 20, seed)}}, .packing = Packing::kPlain}});
  }

  FakeRegistry registry_;
};

TEST_F(PullTest, TakesEveryCompression) {
  const TestImage image = MakeImage({{.files = {{"a", "gzip"}}, .packing = Packing::kGzip},
                                     {.files = {{"b", "zstd"}}, .packing = Packing::kZstd},
                                     {.files = {{"c", "plain"}}, .packing = Packing::kPlain}});
  registry_.Add(image);
  TestStore store(lab());
  const auto pulled = store.Ensure(Request());
  ASSERT_TRUE(pulled) << Message(pulled);
  EXPECT_EQ(lab().ReadFile((*pulled)->chain_id, "a"), "gzip");
  EXPECT_EQ(lab().ReadFile((*pulled)->chain_id, "b"), "zstd");
  EXPECT_EQ(lab().ReadFile((*pulled)->chain_id, "c"), "plain");
}

TEST_F(PullTest, ChoosesTheMachinesPlatform) {
  const TestImage other = MakeImage({{.files = {{"a", "arm"}}}}, {.architecture = "arm64"});
  const TestImage own = MakeImage({{.files = {{"a", "amd"}}}}, {.architecture = "amd64"});
  const TestImage index = MakeIndex({{"arm64", other}, {"amd64", own}});
  registry_.Add(index);
  registry_.Add(MakeIndex({{"s390x", MakeImage({}, {.architecture = "s390x"})}}), "foreign");
  registry_.Add(MakeImage({{.files = {{"x", "y"}}}}, {.architecture = "s390x"}), "alone");
  TestStore store(lab());
  const auto pulled = store.Ensure(Request());
  ASSERT_TRUE(pulled) << Message(pulled);
  EXPECT_EQ((*pulled)->digest, index.root.digest);
  EXPECT_EQ((*pulled)->manifest_digest, own.root.digest);
  EXPECT_EQ(lab().ReadFile((*pulled)->chain_id, "a"), "amd");
  lab().CollectGarbage();
  TestStore restarted(lab());
  restarted.AwaitReady();
  EXPECT_NE(restarted.Find({.image = Request().image, .digest = index.root.digest}), nullptr);

  for (const char* tag : {"foreign", "alone"}) {
    const auto none = store.Ensure(Request(tag));
    ASSERT_FALSE(none);
    EXPECT_THAT(
        Message(none),
        HasSubstr(
            "no matching platform: this machine is linux/amd64, the image is for linux/s390x"));
  }
}

TEST_F(PullTest, OnePullServesAllWhoWait) {
  const TestImage image = Big(1);
  registry_.Add(image);
  TestStore store(lab());
  constexpr int kWaiting = 10;
  std::promise<void> all;
  std::atomic<int> good = 0;
  std::atomic<int> answered = 0;
  for (int i = 0; i < kWaiting; ++i) {
    store.Begin(Request(), [&](auto result) {
      if (result) ++good;
      if (++answered == kWaiting) all.set_value();
    });
  }
  all.get_future().wait();
  EXPECT_EQ(good, kWaiting);
  EXPECT_EQ(registry_.Count("/manifests/"), 1U);
  EXPECT_EQ(registry_.Count(image.layers[0].digest), 1U);
}

TEST_F(PullTest, ACommonLayerIsFetchedOnce) {
  const TestLayer base{.files = {{"base", Noise(2 << 20, 2)}}, .packing = Packing::kPlain};
  const TestImage a = MakeImage({base, {.files = {{"own", "a"}}}});
  const TestImage b = MakeImage({base, {.files = {{"own", "b"}}}});
  registry_.Add(a, "a");
  registry_.Add(b, "b");
  TestStore store(lab());
  std::promise<Result<std::shared_ptr<const UnpackedImage>>> first;
  store.Begin(Request("a"), [&first](auto result) { first.set_value(result); });
  const auto second = store.Ensure(Request("b"));
  const auto other = first.get_future().get();
  ASSERT_TRUE(second) << Message(second);
  ASSERT_TRUE(other) << Message(other);
  EXPECT_EQ(registry_.Count(a.layers[0].digest), 1U);
  EXPECT_EQ(lab().ReadFile((*second)->chain_id, "own"), "b");
  EXPECT_EQ(lab().ReadFile((*other)->chain_id, "own"), "a");
}

TEST_F(PullTest, BrokenTransfersGoOnWhereTheyStopped) {
  const TestImage image = Big(3);
  registry_.Add(image);
  registry_.SetHandler([&](const FakeRequest& request) {
    FakeReply reply = registry_.Serve(request);
    if (IsBlob(request) && request.path.find(image.layers[0].digest) != std::string::npos)
      reply.cut_after = 1 << 20;
    return reply;
  });
  TestStore store(lab());
  const auto pulled = store.Ensure(Request());
  ASSERT_TRUE(pulled) << Message(pulled);
  EXPECT_EQ(lab().ReadFile((*pulled)->chain_id, "data"), Noise(3 << 20, 3));
  std::vector<std::string> ranges;
  for (const FakeRequest& request : registry_.Requests()) {
    if (request.path.find(image.layers[0].digest) != std::string::npos)
      ranges.push_back(request.Header("range"));
  }
  EXPECT_THAT(ranges,
              testing::ElementsAre("", "bytes=1048576-", "bytes=2097152-", "bytes=3145728-"));
}

TEST_F(PullTest, ARegistryWithoutRangesStartsAnew) {
  const TestImage image = Big(4);
  registry_.Add(image);
  std::atomic<int> tries = 0;
  registry_.SetHandler([&](const FakeRequest& request) {
    FakeRequest whole = request;
    whole.headers.erase("range");
    FakeReply reply = registry_.Serve(whole);
    if (request.path.find(image.layers[0].digest) != std::string::npos && ++tries < 3)
      reply.cut_after = 1'500'000;
    return reply;
  });
  TestStore store(lab());
  const auto pulled = store.Ensure(Request());
  ASSERT_TRUE(pulled) << Message(pulled);
  EXPECT_EQ(lab().ReadFile((*pulled)->chain_id, "data"), Noise(3 << 20, 4));
}

TEST_F(PullTest, ARestartedAgentGoesOnWhereTheLastOneStopped) {
  const TestImage image = Big(5);
  registry_.Add(image);
  registry_.SetHandler([&](const FakeRequest& request) {
    FakeReply reply = registry_.Serve(request);
    if (request.path.find(image.layers[0].digest) != std::string::npos &&
        request.Header("range").empty()) {
      reply.cut_after = 2'500'000;
      reply.stall = true;
    }
    return reply;
  });
  {
    TestStore store(lab());
    store.Begin(Request(), [](auto) {});
    Await("two megabytes",
          [&] { return lab().IngestedBytes("updraft-" + image.layers[0].digest) == 2 << 20; });
  }
  lab().CollectGarbage();
  TestStore store(lab());
  const auto pulled = store.Ensure(Request());
  ASSERT_TRUE(pulled) << Message(pulled);
  std::vector<std::string> ranges;
  for (const FakeRequest& request : registry_.Requests()) {
    if (request.path.find(image.layers[0].digest) != std::string::npos)
      ranges.push_back(request.Header("range"));
  }
  EXPECT_THAT(ranges, testing::ElementsAre("", "bytes=2097152-"));
  EXPECT_EQ(lab().ReadFile((*pulled)->chain_id, "data"), Noise(3 << 20, 5));
  EXPECT_THAT(lab().Leases(), IsEmpty());
}

TEST_F(PullTest, TheEndOfTheStoreIsSwift) {
  const TestImage image = Big(6);
  registry_.Add(image);
  registry_.SetHandler([&](const FakeRequest& request) {
    FakeReply reply = registry_.Serve(request);
    reply.stall = IsBlob(request);
    if (reply.stall) reply.cut_after = 10;
    return reply;
  });
  TimePoint begin;
  {
    TestStore store(lab());
    store.Begin(Request(), [](auto) { ADD_FAILURE() << "answered"; });
    Await("the transfer", [&] { return registry_.Count("/blobs/") == 1; });
    begin = RealClock().Now();
  }
  EXPECT_LT(RealClock().Now() - begin, Seconds(3));
}

TEST_F(PullTest, WrongContentIsNeverUsed) {
  const TestImage image = MakeImage({{.files = {{"a", "b"}}}});
  registry_.Add(image);
  for (const std::string& victim :
       {image.layers[0].digest, image.config_digest, image.root.digest}) {
    registry_.SetHandler([&](const FakeRequest& request) {
      FakeReply reply = registry_.Serve(request);
      if (request.path.find(victim) != std::string::npos) reply.body.back() ^= 1;
      return reply;
    });
    TestStore store(lab());
    const auto pulled = store.Ensure({.image = Request().image, .digest = image.root.digest});
    ASSERT_FALSE(pulled) << victim;
    EXPECT_THAT(Message(pulled), HasSubstr("digest mismatch")) << victim;
    EXPECT_THAT(Message(pulled), HasSubstr(victim));
    lab().Clear();  // what came whole is kept for the next attempt
  }
  registry_.SetHandler({});
  TestStore store(lab());
  const auto pulled = store.Ensure(Request());
  EXPECT_TRUE(pulled) << Message(pulled);
}

TEST_F(PullTest, ALayerThatIsNotWhatTheConfigSaysIsRefused) {
  TestImage image = MakeImage({{.files = {{"a", "b"}}}});
  const TestImage other = MakeImage({{.files = {{"a", "c"}}}});
  // A manifest with the other image's layer: all digests fit but the config's diff_id.
  std::string manifest = image.blobs.at(image.root.digest);
  const size_t at = manifest.find(image.layers[0].digest);
  manifest.replace(at, image.layers[0].digest.size(), other.layers[0].digest);
  const std::string size = "\"size\":" + std::to_string(image.layers[0].size);
  manifest.replace(manifest.find(size), size.size(),
                   "\"size\":" + std::to_string(other.layers[0].size));
  image.blobs.insert(other.blobs.begin(), other.blobs.end());
  image.root.digest = DigestOf(manifest);
  image.blobs[image.root.digest] = manifest;
  registry_.Add(image);
  TestStore store(lab());
  const auto pulled = store.Ensure(Request());
  ASSERT_FALSE(pulled);
  EXPECT_THAT(Message(pulled), HasSubstr("digest mismatch: layer"));
  lab().Clear();
  EXPECT_THAT(lab().Snapshots(), IsEmpty());
}

TEST_F(PullTest, BusyRegistriesAreAskedAgain) {
  const TestImage image = MakeImage({{.files = {{"a", "b"}}}});
  registry_.Add(image);
  std::map<std::string, int> seen;
  registry_.SetHandler([&](const FakeRequest& request) -> FakeReply {
    const int count = ++seen[request.path];
    if (count == 1) return {.status = 429, .headers = {"Retry-After: 0"}};
    if (count == 2) return {.status = 503};
    if (count == 3) return {.status = 200, .body = "short", .cut_after = 0};
    return registry_.Serve(request);
  });
  TestStore store(lab());
  const auto pulled = store.Ensure(Request());
  EXPECT_TRUE(pulled) << Message(pulled);

  registry_.SetHandler([](const FakeRequest&) -> FakeReply { return {.status = 500}; });
  const auto failed = store.Ensure(Request("2"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kUnavailable);
  EXPECT_THAT(Message(failed), HasSubstr("answered 500"));
  EXPECT_EQ(registry_.Count("/manifests/2"), 4U);
}

TEST_F(PullTest, TokensAreFetchedOnceAndReused) {
  const TestImage image = MakeImage({{.files = {{"a", "b"}}}, {.files = {{"c", "d"}}}});
  registry_.Add(image);
  registry_.SetHandler([&](const FakeRequest& request) -> FakeReply {
    if (request.path.starts_with("/token")) {
      if (request.Header("authorization") != "Basic Y2k6c2VjcmV0") {
        return {.status = 401, .body = R"({"details":"incorrect username or password"})"};
      }
      return {.body = R"({"token":"T1","expires_in":300})"};
    }
    if (request.Header("authorization") == "Bearer T1") return registry_.Serve(request);
    return {.status = 401,
            .headers = {"WWW-Authenticate: Bearer realm=\"" + registry_.url() +
                        "/token\",service=\"s p\",scope=\"repository:app:pull\""}};
  });
  const RegistryCredential good{.registry = "", .username = "ci", .password = "secret"};
  RegistryCredential bad = good;
  bad.password = "wrong";
  TestStore store(lab());
  ImageRequest request = Request();
  const auto anonymous = store.Ensure(request);
  EXPECT_EQ(anonymous.error().code, Code::kUnauthenticated);
  request.credentials = {bad};
  const auto refused = store.Ensure(request);
  EXPECT_EQ(refused.error().code, Code::kUnauthenticated);
  EXPECT_THAT(Message(refused), HasSubstr("incorrect username or password"));
  const size_t before = registry_.Count("/token");
  request.credentials = {good};
  const auto pulled = store.Ensure(request);
  ASSERT_TRUE(pulled) << Message(pulled);
  EXPECT_EQ(registry_.Count("/token"), before + 1);
  EXPECT_EQ(registry_.Requests().front().Header("authorization"), "");
  bool asked = false;
  for (const FakeRequest& seen : registry_.Requests()) {
    asked = asked || seen.path == "/token?scope=repository%3Aapp%3Apull&service=s%20p&account=ci";
  }
  EXPECT_TRUE(asked);
}

TEST_F(PullTest, AnExpiredTokenIsReplaced) {
  const TestImage image = MakeImage({{.files = {{"a", "b"}}}});
  registry_.Add(image);
  std::atomic<int> current = 0;
  registry_.SetHandler([&](const FakeRequest& request) -> FakeReply {
    if (request.path.starts_with("/token")) {
      return {.body =
                  R"({"access_token":"T)" + std::to_string(++current) + R"(","expires_in":1000})"};
    }
    if (request.Header("authorization") == "Bearer T" + std::to_string(current)) {
      FakeReply reply = registry_.Serve(request);
      if (request.path.find("/manifests/") != std::string::npos)
        current = 7;  // T1 is worth nothing from now on
      return reply;
    }
    return {.status = 401,
            .headers = {"WWW-Authenticate: Bearer realm=\"" + registry_.url() + "/token\""}};
  });
  TestStore store(lab());
  const auto pulled = store.Ensure(Request());
  ASSERT_TRUE(pulled) << Message(pulled);
  EXPECT_EQ(registry_.Count("/token"), 2U);
}

TEST_F(PullTest, AnIdentityTokenIsExchanged) {
  registry_.Add(MakeImage({{.files = {{"a", "b"}}}}));
  registry_.SetHandler([&](const FakeRequest& request) -> FakeReply {
    if (request.path == "/token") {
      if (request.method != "POST" ||
          request.body.find("refresh_token=id%2Ftok") == std::string::npos) {
        return {.status = 400};
      }
      return {.body = R"({"access_token":"T"})"};
    }
    if (request.Header("authorization") == "Bearer T") return registry_.Serve(request);
    return {.status = 401,
            .headers = {"WWW-Authenticate: Bearer realm=\"" + registry_.url() + "/token\""}};
  });
  TestStore store(lab());
  ImageRequest request = Request();
  request.credentials = {{.registry = registry_.host(), .identity_token = "id/tok"}};
  const auto pulled = store.Ensure(request);
  EXPECT_TRUE(pulled) << Message(pulled);
}

TEST_F(PullTest, AuthorizationDoesNotFollowARedirectElsewhere) {
  const TestImage image = MakeImage({{.files = {{"a", "b"}}}});
  registry_.Add(image);
  FakeRegistry storage;
  storage.Add(image);
  registry_.SetHandler([&](const FakeRequest& request) -> FakeReply {
    if (request.Header("authorization").empty())
      return {.status = 401, .headers = {"WWW-Authenticate: Basic realm=\"r\""}};
    if (IsBlob(request))
      return {.status = 307, .headers = {"Location: " + storage.url() + request.path}};
    return registry_.Serve(request);
  });
  TestStore store(lab());
  ImageRequest request = Request();
  request.credentials = {{.registry = "", .username = "ci", .password = "secret"}};
  const auto pulled = store.Ensure(request);
  ASSERT_TRUE(pulled) << Message(pulled);
  ASSERT_EQ(storage.Requests().size(), 2U);
  for (const FakeRequest& seen : storage.Requests()) EXPECT_EQ(seen.Header("authorization"), "");

  registry_.SetHandler([&](const FakeRequest& seen) -> FakeReply {
    return {.status = 302, .headers = {"Location: " + seen.path}};
  });
  const auto circle = store.Ensure(Request("2"));
  EXPECT_THAT(Message(circle), HasSubstr("too many redirects"));
}

TEST_F(PullTest, AMirrorIsAskedFirstAndMayFail) {
  const TestImage image = MakeImage({{.files = {{"a", "b"}}}});
  FakeRegistry mirror;
  registry_.Add(image);
  mirror.Add(image);
  const std::string yaml = "registries: {'" + registry_.host() + "': {mirrors: ['" + mirror.url() +
                           "'], username: u, password: p}}";
  {
    TestStore store(lab(), Registries(yaml));
    const auto pulled = store.Ensure(Request());
    ASSERT_TRUE(pulled) << Message(pulled);
    EXPECT_TRUE(registry_.Requests().empty());
    EXPECT_THAT(mirror.Requests().front().path, HasSubstr("?ns=127.0.0.1"));
  }
  lab().Clear();
  mirror.SetHandler([](const FakeRequest& request) -> FakeReply {
    EXPECT_EQ(request.Header("authorization"), "");
    return {.status = 401, .headers = {"WWW-Authenticate: Basic realm=\"r\""}};
  });
  TestStore store(lab(), Registries(yaml));
  const auto pulled = store.Ensure(Request());
  EXPECT_TRUE(pulled) << Message(pulled);
  EXPECT_FALSE(registry_.Requests().empty());
}

TEST_F(PullTest, WhatAMirrorBreaksOffTheRegistryGoesOnWith) {
  const TestImage image = Big(8);
  FakeRegistry mirror;
  registry_.Add(image);
  mirror.Add(image);
  mirror.SetHandler([&mirror](const FakeRequest& request) {
    FakeReply reply = mirror.Serve(request);
    if (reply.body.size() > 1 << 20) reply.cut_after = 1 << 20;
    return reply;
  });
  TestStore store(lab(), Registries("registries: {'" + registry_.host() + "': {mirrors: ['" +
                                    mirror.url() + "']}}"));
  const auto pulled = store.Ensure(Request());
  ASSERT_TRUE(pulled) << Message(pulled);
  EXPECT_EQ(lab().ReadFile((*pulled)->chain_id, "data"), Noise(3 << 20, 8));
  ASSERT_EQ(registry_.Requests().size(), 1U);
  EXPECT_EQ(registry_.Requests()[0].Header("range"), "bytes=1048576-");
}

TEST_F(PullTest, AUselessRegistryIsDescribed) {
  TestStore store(lab());
  const auto message = [&store](const std::string& image) {
    return Message(store.Ensure({.image = image}));
  };
  const std::string closed = "127.0.0.1:" + std::to_string(FreePort());
  EXPECT_THAT(message(closed + "/app"), HasSubstr("connection refused: " + closed));
  EXPECT_THAT(message("nowhere.example/app"), HasSubstr("unknown host: nowhere.example"));
  EXPECT_THAT(message("app"), HasSubstr("unknown host: registry-1.docker.io"));
  EXPECT_THAT(message("Not An Image"), HasSubstr("invalid image reference"));
  EXPECT_THAT(message("kind.local/app"), HasSubstr("updraft image load"));
  EXPECT_THAT(Message(store.Resolve("ko.local/app")), HasSubstr("updraft image load"));

  TestStore strict(lab(),
                   Registries("registries: {'" + registry_.host() + "': {plain_http: false}}"));
  EXPECT_THAT(Message(strict.Ensure(Request())),
              HasSubstr("TLS problem: " + registry_.host() + " does not speak TLS"));
}

TEST_F(PullTest, UselessManifestsAreDescribed) {
  struct Case {
    std::string body;
    std::string error;
  };
  const std::vector<Case> cases = {
      {std::string(5 << 20, ' '), "larger than the limit"},
      {"<html>", "malformed image manifest"},
      {R"({"schemaVersion":1,"mediaType":"application/vnd.docker.distribution.manifest.v1+prettyjws"})",
       "schema 1"},
      {R"({"mediaType":"application/vnd.example.thing+json"})", "unsupported media type"},
  };
  TestStore store(lab());
  for (const Case& c : cases) {
    registry_.SetHandler([&c](const FakeRequest&) -> FakeReply { return {.body = c.body}; });
    const auto pulled = store.Ensure(Request());
    ASSERT_FALSE(pulled);
    EXPECT_THAT(Message(pulled), HasSubstr(c.error));
  }
}

TEST_F(PullTest, PoliciesAreKept) {
  const TestImage image = MakeImage({{.files = {{"a", "b"}}}});
  registry_.Add(image, "1");
  registry_.Add(image, "latest");
  TestStore store(lab());
  ImageRequest request = Request();
  request.policy = PullPolicy::kNever;
  const auto never = store.Ensure(request);
  EXPECT_EQ(never.error().code, Code::kFailedPrecondition);
  request.policy = PullPolicy::kDefault;
  ASSERT_TRUE(store.Ensure(request));
  const size_t before = registry_.Requests().size();
  ASSERT_TRUE(store.Ensure(request));
  EXPECT_EQ(registry_.Requests().size(), before);
  request.policy = PullPolicy::kAlways;
  ASSERT_TRUE(store.Ensure(request));
  EXPECT_EQ(registry_.Count("/manifests/1"), 2U);
  ASSERT_TRUE(store.Ensure(Request("latest")));
  ASSERT_TRUE(store.Ensure(Request("latest")));
  EXPECT_EQ(registry_.Count("/manifests/latest"), 2U);
}

TEST_F(PullTest, AVanishedSnapshotIsMadeAgain) {
  const TestImage image = MakeImage({{.files = {{"a", "b"}}}});
  registry_.Add(image);
  TestStore store(lab());
  const auto pulled = store.Ensure(Request());
  ASSERT_TRUE(pulled) << Message(pulled);
  lab().Clear();  // behind the store's back
  store.Forget((*pulled)->digest);
  const auto again = store.Ensure({.image = Request().image, .digest = (*pulled)->digest});
  ASSERT_TRUE(again) << Message(again);
  EXPECT_EQ(lab().ReadFile((*again)->chain_id, "a"), "b");
}

TEST_F(PullTest, ContainerdMayComeLater) {
  const TestImage image = MakeImage({{.files = {{"a", "b"}}}});
  registry_.Add(image);
  {
    TestStore store(lab());
    ASSERT_TRUE(store.Ensure(Request()));
  }
  lab().StopContainerd();
  TestStore store(lab());
  const auto early = store.Ensure(Request());
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Code::kUnavailable);
  EXPECT_THAT(Message(early), HasSubstr("containerd is not reachable"));
  lab().StartContainerd();
  store.AwaitReady();
  EXPECT_NE(store.Find(Request()), nullptr);
}

TEST_F(PullTest, AFullDiskIsSaidSo) {
  ImageLab small(12 << 20);
  registry_.Add(MakeImage({{.files = {{"data", Noise(16 << 20, 9)}}, .packing = Packing::kPlain}}));
  TestStore store(small);
  const auto pulled = store.Ensure(Request());
  ASSERT_FALSE(pulled);
  EXPECT_EQ(pulled.error().code, Code::kResourceExhausted);
  EXPECT_THAT(Message(pulled), HasSubstr("disk full"));
}

}  // namespace
}  // namespace updraft::node_agent

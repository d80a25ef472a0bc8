// Pulls from Debian's docker-registry: open, with passwords, with TLS.
#include <fstream>

#include "tests/integration/image/image_test.h"

namespace updraft::node_agent {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class RealRegistry {
 public:
  struct Options {
    bool password = false;
    bool tls = false;
  };

  RealRegistry(const std::string& folder, Options options)
      : folder_(folder), tls_(options.tls), port_(FreePort()) {
    MustRun({"mkdir", "-p", folder_});
    std::string config =
        "version: 0.1\nlog: {level: warn}\nstorage:\n  filesystem: {rootdirectory: " + folder_ +
        "/data}\nhttp:\n  addr: 127.0.0.1:" + std::to_string(port_) + "\n";
    if (options.tls) {
      MakeCertificates();
      config +=
          "  tls: {certificate: " + folder_ + "/server.pem, key: " + folder_ + "/server.key}\n";
    }
    if (options.password) {
      MustRun({"htpasswd", "-Bbc", folder_ + "/htpasswd", "ci", "secret"});
      config += "auth:\n  htpasswd: {realm: test, path: " + folder_ + "/htpasswd}\n";
    }
    std::ofstream(folder_ + "/config.yml") << config;
    daemon_ = std::make_unique<Daemon>(
        std::vector<std::string>{"docker-registry", "serve", folder_ + "/config.yml"},
        folder_ + "/log");
    AwaitTcp(port_);
  }

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string ca() const { return folder_ + "/ca.pem"; }
  void Stop() { daemon_->Stop(); }

  // By skopeo: someone else's idea of a push.
  void Push(const TestImage& image, const std::string& name, const std::string& format = "oci") {
    const std::string file = folder_ + "/push.tar";
    std::ofstream(file, std::ios::binary) << OciArchive(image, "x:1");
    MustRun({"skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false",
             "--dest-creds", "ci:secret", "--format", format, "oci-archive:" + file,
             "docker://" + host() + "/" + name});
  }

 private:
  void MakeCertificates() {
    const auto run = [this](const std::string& command) {
      MustRun({"sh", "-c", "cd " + folder_ + " && " + command});
    };
    run("openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj "
        "/CN=test-ca 2>&1");
    run("openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=registry "
        "2>&1");
    run("printf 'subjectAltName=IP:127.0.0.1' > ext && openssl x509 -req -in server.csr -CA ca.pem "
        "-CAkey ca.key"
        " -CAcreateserial -days 2 -extfile ext -out server.pem 2>&1");
  }

  const std::string folder_;
  const bool tls_;
  const int port_;
  std::unique_ptr<Daemon> daemon_;
};

class RealRegistryTest : public ImageTest {
 protected:
  std::string Folder() const {
    return lab().folder() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  const TestImage image_ =
      MakeImage({{.files = {{"app", "one"}, {"etc/name", "lower"}}},
                 {.files = {{"etc/name", "upper"}, {"data", Noise(1 << 20, 7)}}}});
};

TEST_F(RealRegistryTest, PullsUnpacksAndRemembers) {
  RealRegistry registry(Folder(), {});
  registry.Push(image_, "team/app:1");
  TestStore store(lab());
  const std::string name = registry.host() + "/team/app:1";

  const auto digest = store.Resolve(name);
  ASSERT_TRUE(digest) << Message(digest);
  EXPECT_EQ(*digest, image_.root.digest);

  const auto image = store.Ensure({.image = name, .digest = *digest});
  ASSERT_TRUE(image) << Message(image);
  EXPECT_EQ((*image)->digest, image_.root.digest);
  EXPECT_EQ((*image)->config.user, "1000");
  EXPECT_THAT((*image)->config.entrypoint, testing::ElementsAre("/app", "serve"));
  EXPECT_EQ((*image)->snapshotter, "overlayfs");
  EXPECT_EQ(lab().ReadFile((*image)->chain_id, "app"), "one");
  EXPECT_EQ(lab().ReadFile((*image)->chain_id, "etc/name"), "upper");
  EXPECT_EQ(lab().ReadFile((*image)->chain_id, "data"), Noise(1 << 20, 7));

  registry.Stop();
  EXPECT_EQ(store.Find({.image = name, .digest = *digest}), *image);
  TestStore restarted(lab());
  restarted.AwaitReady();
  const auto found = restarted.Find({.image = name, .digest = *digest});
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->chain_id, (*image)->chain_id);
}

TEST_F(RealRegistryTest, GarbageCollectionKeepsAnImageUntilItIsRemoved) {
  RealRegistry registry(Folder(), {});
  registry.Push(image_, "app:1");
  TestStore store(lab());
  const std::string name = registry.host() + "/app:1";
  const auto image = store.Ensure({.image = name});
  ASSERT_TRUE(image) << Message(image);
  EXPECT_THAT(lab().Leases(), testing::IsEmpty());
  lab().CollectGarbage();
  EXPECT_THAT(lab().Snapshots(), Contains((*image)->chain_id));
  EXPECT_EQ(lab().Blobs().size(), image_.blobs.size());
  ASSERT_EQ(store.List().size(), 1U);
  EXPECT_EQ(store.List()[0].reference, name);

  const Status removed = store.Remove(name);
  ASSERT_TRUE(removed) << Message(removed);
  lab().CollectGarbage();
  EXPECT_THAT(lab().Snapshots(), testing::IsEmpty());
  EXPECT_THAT(lab().Blobs(), testing::IsEmpty());
  EXPECT_TRUE(store.List().empty());
  EXPECT_EQ(store.Remove(name).error().code, Code::kNotFound);
}

TEST_F(RealRegistryTest, DockersManifestsAreAsGood) {
  RealRegistry registry(Folder(), {});
  registry.Push(image_, "app:1", "v2s2");
  TestStore store(lab());
  const auto image = store.Ensure({.image = registry.host() + "/app:1"});
  ASSERT_TRUE(image) << Message(image);
  EXPECT_NE((*image)->digest, image_.root.digest);
  EXPECT_EQ(lab().ReadFile((*image)->chain_id, "app"), "one");
}

TEST_F(RealRegistryTest, PasswordsAreAskedForAndGiven) {
  RealRegistry registry(Folder(), {.password = true});
  registry.Push(image_, "app:1");
  const std::string name = registry.host() + "/app:1";
  const RegistryCredential good{
      .registry = registry.host(), .username = "ci", .password = "secret"};
  RegistryCredential bad = good;
  bad.password = "wrong";

  TestStore store(lab());
  const auto without = store.Ensure({.image = name});
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, Code::kUnauthenticated);
  EXPECT_THAT(Message(without), HasSubstr("unauthorized: "));
  const auto wrong = store.Ensure({.image = name, .credentials = {bad}});
  EXPECT_EQ(wrong.error().code, Code::kUnauthenticated);
  EXPECT_THAT(Message(wrong), Not(HasSubstr("wrong\"")));
  EXPECT_EQ(store.Resolve(name).error().code, Code::kUnauthenticated);
  const auto digest = store.Resolve(name, {good});
  EXPECT_TRUE(digest) << Message(digest);
  const auto image = store.Ensure({.image = name, .credentials = {bad, good}});
  EXPECT_TRUE(image) << Message(image);

  lab().Clear();
  TestStore configured(lab(), Registries("registries: {'" + registry.host() +
                                         "': {username: ci, password: secret}}"));
  const auto by_config = configured.Ensure({.image = name});
  EXPECT_TRUE(by_config) << Message(by_config);
}

TEST_F(RealRegistryTest, TlsIsVerifiedAgainstTheConfiguredAuthority) {
  RealRegistry registry(Folder(), {.tls = true});
  registry.Push(image_, "app:1");
  const std::string name = registry.host() + "/app:1";
  TestStore trusting_nobody(lab());
  const auto refused = trusting_nobody.Ensure({.image = name});
  ASSERT_FALSE(refused);
  EXPECT_THAT(Message(refused), HasSubstr("TLS problem: " + registry.host()));

  const std::string key = "registries: {'" + registry.host() + "': {";
  TestStore trusting(lab(), Registries(key + "ca_file: " + registry.ca() + "}}"));
  const auto image = trusting.Ensure({.image = name});
  EXPECT_TRUE(image) << Message(image);

  lab().Clear();
  TestStore careless(lab(), Registries(key + "insecure_skip_verify: true}}"));
  const auto unverified = careless.Ensure({.image = name});
  EXPECT_TRUE(unverified) << Message(unverified);
}

TEST_F(RealRegistryTest, WhatIsNotThereIsNamed) {
  RealRegistry registry(Folder(), {});
  registry.Push(image_, "app:1");
  TestStore store(lab());
  const auto tag = store.Ensure({.image = registry.host() + "/app:2"});
  EXPECT_EQ(tag.error().code, Code::kNotFound);
  EXPECT_THAT(Message(tag),
              HasSubstr("no tag \"2\" in repository \"app\" at registry " + registry.host()));
  const auto repository = store.Resolve(registry.host() + "/other:1");
  EXPECT_EQ(repository.error().code, Code::kNotFound);
  EXPECT_THAT(Message(repository), HasSubstr("\"other\" at registry"));
}

}  // namespace
}  // namespace updraft::node_agent

// The whole controller in one process, over a store on disk: its API is used as a client does, and
// the programs around it are played by the test.

#include "controller/assembly.h"

#include "controller/reconcile/keys.h"
#include "core/api/conditions.h"
#include "core/http/client.h"
#include "core/store/open_store.h"
#include "tests/unit/controller/nodes/control_plane_rig.h"
#include "tests/unit/core/http/test_certificates.h"

namespace updraft::controller {
namespace {

constexpr char kHello[] = R"({"apiVersion": "serving.knative.dev/v1", "kind": "Service",
  "metadata": {"name": "hello"},
  "spec": {"template": {"spec": {"containers": [{"image": "dev.local/hello"}]}}}})";

class FakeAgentService : public v1::AgentService::Service {
  grpc::Status ReadLogs(grpc::ServerContext*, const v1::ReadLogsRequest* request,
                        grpc::ServerWriter<v1::LogChunk>* writer) override {
    v1::LogChunk chunk;
    chunk.set_data("log of " + request->container() + "\n");
    writer->Write(chunk);
    return grpc::Status::OK;
  }
};

class AssemblyTest : public testing::Test {
 protected:
  AssemblyTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(folder_.Target("agent.sock"), grpc::InsecureServerCredentials());
    builder.RegisterService(&agent_service_);
    agent_server_ = builder.BuildAndStart();
    Begin();
  }
  ~AssemblyTest() override {
    End();
    agent_server_->Shutdown(std::chrono::system_clock::now());
  }

  void Begin() {
    Config config;
    config.api_address = folder_.Target("api.sock");
    config.grpc_address = folder_.Target("run/controller.sock");
    config.metrics_address = folder_.Target("metrics.sock");
    on_.Call([this, &config] {
      const store::Post post = [this](std::function<void()> callback) {
        on_.loop().Post(std::move(callback));
      };
      auto kept = store::OpenStore("sqlite:" + folder_.path() + "/store.db", RealClock(), post);
      ASSERT_TRUE(kept) << kept.error().message;
      stores_ = std::make_unique<Stores>(std::move(*kept), store::MakeSoftStore(RealClock(), post));
      http::Spawn(Start(this, config));
    });
    ASSERT_TRUE(on_.WaitUntil([this] { return started_; }));
  }
  void End() {
    on_.Call([this] {
      parts_.reset();
      stores_.reset();
      started_ = false;
    });
  }
  static http::Task<void> Start(AssemblyTest* test, Config config) {
    const Status loaded = co_await test->stores_->Load();
    EXPECT_TRUE(loaded);
    test->parts_ = std::make_unique<Parts>(test->on_.loop(), *test->stores_, config);
    const Status started = co_await test->parts_->Start();
    if (!started) ADD_FAILURE() << started.error().message;
    test->started_ = true;
  }

  static http::Task<void> Fetch(AssemblyTest* test, http::Request request) {
    test->response_ = co_await http::Fetch(test->on_.loop(), std::move(request));
    test->answered_ = true;
  }
  http::Response Ask(const std::string& method, const std::string& target,
                     const std::string& body = "", const std::string& type = "application/json",
                     const std::string& socket = "api.sock") {
    on_.Call([&, this] {
      answered_ = false;
      http::Request request;
      request.address = folder_.Target(socket);
      request.method = method;
      request.target = target;
      request.body = body;
      if (!body.empty()) request.headers.Add("Content-Type", type);
      request.deadline = RealClock().Now() + Seconds(10);
      http::Spawn(Fetch(this, std::move(request)));
    });
    EXPECT_TRUE(on_.WaitUntil([this] { return answered_; }));
    EXPECT_TRUE(response_) << response_.error().message;
    return response_ ? *response_ : http::Response();
  }
  Json Get(const std::string& target) {
    return Json::parse(Ask("GET", target).body, nullptr, false);
  }

  std::shared_ptr<grpc::Channel> Channel() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(folder_.Target("run/controller.sock"),
                                     grpc::InsecureChannelCredentials(), arguments);
  }
  void ConnectAll(const v1::InstanceInventory& inventory = {}) {
    auto nodes = v1::NodeService::NewStub(Channel());
    agent_ = std::make_unique<AgentStream>(
        [&nodes](grpc::ClientContext* context) { return nodes->Connect(context); });
    v1::NodeMessage hello;
    *hello.mutable_hello() = HelloOf("n1");
    hello.mutable_hello()->set_agent_address(folder_.Target("agent.sock"));
    agent_->Send(hello);
    v1::NodeMessage first;
    *first.mutable_inventory() = inventory;
    agent_->Send(first);
    auto routing = v1::RoutingService::NewStub(Channel());
    activator_ = std::make_unique<ActivatorStream>(
        [&routing](grpc::ClientContext* context) { return routing->Watch(context); });
    v1::ActivatorMessage who;
    who.mutable_hello()->set_activator_id("act");
    activator_->Send(who);
    auto scaling = v1::DecisionService::NewStub(Channel());
    autoscaler_ = std::make_unique<AutoscalerStream>(
        [&scaling](grpc::ClientContext* context) { return scaling->Sync(context); });
  }
  void DisconnectAll() {
    agent_.reset();
    activator_.reset();
    autoscaler_.reset();
  }
  v1::InstanceSpec ReadStart() {
    while (!HasFailure()) {
      const v1::ControllerMessage message = agent_->Read();
      if (message.has_start()) return message.start();
    }
    return {};
  }
  std::string ReadStop() {
    while (!HasFailure()) {
      const v1::ControllerMessage message = agent_->Read();
      if (message.has_stop()) return message.stop().instance_id();
    }
    return {};
  }
  // Decides for hello's revision as soon as it is to be decided.
  void DecideHello(int desired) {
    while (!HasFailure()) {
      const v1::ScaleTargets targets = autoscaler_->Read();
      for (const v1::ScaleTarget& target : targets.targets()) {
        if (target.revision() != "default/hello-00001") continue;
        v1::AutoscalerMessage message = Decides(target.revision(), desired);
        message.mutable_decisions(0)->set_initialized(true);
        autoscaler_->Send(message);
        return;
      }
    }
  }
  bool HelloIsReady() {
    const auto service = stores_->durable.Get({resource::kServices, "default", "hello"});
    return service && api::IsConditionTrue(*service->object, "Ready");
  }
  static v1::InstanceReport Running(const v1::InstanceSpec& spec) {
    v1::InstanceReport report = ReportOf(spec, v1::INSTANCE_READY);
    v1::ContainerReport& container = *report.add_containers();
    container.set_name(spec.containers(0).name());
    container.set_running(true);
    container.set_ready(true);
    container.set_started_at_ns(1'700'000'000'000'000'000);
    return report;
  }
  // From nothing to a Service that is ready.
  v1::InstanceSpec ServeHello() {
    ConnectAll();
    EXPECT_EQ(
        Ask("POST", "/apis/serving.knative.dev/v1/namespaces/default/services", kHello).status,
        201);
    DecideHello(1);
    const v1::InstanceSpec spec = ReadStart();
    agent_->Send(Says(Running(spec)));
    EXPECT_TRUE(on_.WaitUntil([this] { return HelloIsReady(); }));
    return spec;
  }

  SocketFolder folder_;
  FakeAgentService agent_service_;
  std::unique_ptr<grpc::Server> agent_server_;
  TestLoop on_;
  std::unique_ptr<Stores> stores_;
  std::unique_ptr<Parts> parts_;
  bool started_ = false;
  bool answered_ = false;
  Result<http::Response> response_ = Error{};
  std::unique_ptr<AgentStream> agent_;
  std::unique_ptr<ActivatorStream> activator_;
  std::unique_ptr<AutoscalerStream> autoscaler_;
};

TEST_F(AssemblyTest, AServiceBecomesReadyAndIsSeenAsPodsAndNodes) {
  const v1::InstanceSpec spec = ServeHello();
  const std::string pod_path = "/api/v1/namespaces/default/pods/" + spec.instance_id();
  ASSERT_TRUE(on_.WaitUntil([this, &spec] {
    const auto pod = stores_->soft.Get({"pods", "default", spec.instance_id()});
    return pod && (*pod->object)["status"]["phase"] == "Running";
  }));
  const Json pod = Get(pod_path);
  EXPECT_EQ(pod["metadata"]["labels"]["serving.knative.dev/service"], "hello");
  EXPECT_EQ(pod["spec"]["containers"][0]["name"], "user-container");
  EXPECT_EQ(Get("/api/v1/nodes")["items"][0]["metadata"]["name"], "n1");
  EXPECT_EQ(Ask("GET", pod_path + "/log").body, "log of user-container\n");
  const Json service = Get("/apis/serving.knative.dev/v1/namespaces/default/services/hello");
  EXPECT_EQ(service["status"]["url"], "http://hello.default.localhost:8080");
  const Json gateway = Get("/api/v1/namespaces/istio-system/services/istio-ingressgateway");
  EXPECT_EQ(gateway["status"]["loadBalancer"]["ingress"], (Json{{{"ip", "127.0.0.1"}}}));
  EXPECT_EQ(gateway["spec"]["ports"][0]["nodePort"], 8080) << "where the URLs lead";
  const std::string page = Ask("GET", "/metrics", "", "", "metrics.sock").body;
  EXPECT_NE(page.find("updraft_controller_instances{phase=\"ready\"} 1"), std::string::npos);
  EXPECT_NE(page.find("updraft_controller_api_requests_total{"), std::string::npos);
  EXPECT_EQ(Ask("GET", "/readyz", "", "", "metrics.sock").status, 200);
}

TEST_F(AssemblyTest, TheAutoscalersConfigMapIsToldAsItIsAndRefusedWhenItCannotBeUsed) {
  ConnectAll();
  const auto next_config = [this] {
    while (!HasFailure()) {
      const v1::ScaleTargets targets = autoscaler_->Read();
      if (targets.has_config()) return targets.config();
    }
    return v1::AutoscalerConfig();
  };
  EXPECT_FALSE(next_config().exists());
  const std::string maps = "/api/v1/namespaces/knative-serving/configmaps";
  const auto map = [](const std::string& data) {
    return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"config-autoscaler"},"data":{)" +
           data + "}}";
  };
  const http::Response refused =
      Ask("PUT", maps + "/config-autoscaler", map(R"("stable-window":"5s")"));
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(
      refused.body.find("validation failed: stable-window = 5s, must be in [6s; 1h0m0s] range"),
      std::string::npos)
      << refused.body;
  EXPECT_EQ(Ask("PUT", maps + "/config-autoscaler", map(R"("stable-window":"30s")")).status, 200);
  EXPECT_EQ(next_config().keys().at("stable-window"), "30s");
  EXPECT_EQ(Ask("PUT", maps + "/config-autoscaler", map(R"("max-scale":"7")")).status, 200);
  const v1::AutoscalerConfig changed = next_config();
  EXPECT_EQ(changed.keys().at("max-scale"), "7");
  EXPECT_EQ(changed.keys_size(), 1);
  EXPECT_EQ(Ask("DELETE", maps + "/config-autoscaler").status, 200);
  EXPECT_FALSE(next_config().exists());
}

TEST_F(AssemblyTest, TheConfigMapsAreThereAndTakeEffectWhenTheyChange) {
  ServeHello();
  const std::string maps = "/api/v1/namespaces/knative-serving/configmaps/";
  std::vector<std::string> names;
  const Json listed = Get("/api/v1/namespaces/knative-serving/configmaps");
  for (const Json& map : listed["items"]) names.push_back(map["metadata"]["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{
                       "config-autoscaler", "config-defaults", "config-deployment", "config-domain",
                       "config-features", "config-gc", "config-network", "config-observability"}));
  const auto set = [&](const std::string& map, const Json& data) {
    return Ask("PATCH", maps + map, Json{{"data", data}}.dump(), "application/merge-patch+json");
  };
  // Refused, and nothing has changed.
  const http::Response refused = set("config-gc", {{"min-non-active-revisions", "-1"}});
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(Json::parse(refused.body)["message"],
            "admission webhook \"config.webhook.serving.knative.dev\" denied the request: "
            "validation failed: min-non-active-revisions must be non-negative, was: -1");
  EXPECT_EQ(set("config-gc", {{"_example", "x"}}).status, 400);

  // URLs and hosts.
  EXPECT_EQ(set("config-domain", {{"example.com", ""}}).status, 200);
  EXPECT_EQ(
      set("config-network", {{"domain-template", "{{.Name}}-{{.Namespace}}.{{.Domain}}"}}).status,
      200);
  const auto url = [this] {
    const auto service = stores_->durable.Get({resource::kServices, "default", "hello"});
    return (*service->object)["status"].value("url", "");
  };
  EXPECT_TRUE(on_.WaitUntil([&] { return url() == "http://hello-default.example.com:8080"; }));
  bool told = false;
  while (!told && !HasFailure()) {
    const v1::RoutingUpdate update = activator_->Read();
    for (const v1::Route& route : update.routes())
      told = told || route.hosts(0).host() == "hello-default.example.com";
  }

  // Defaults and gates count with the next write.
  const std::string services = "/apis/serving.knative.dev/v1/namespaces/default/services";
  EXPECT_EQ(
      set("config-defaults", {{"container-concurrency", "7"}, {"revision-timeout-seconds", "60"}})
          .status,
      200);
  EXPECT_EQ(set("config-features", {{"kubernetes.podspec-nodeselector", "enabled"}}).status, 200);
  Json other = Json::parse(kHello);
  other["metadata"]["name"] = "other";
  other["spec"]["template"]["spec"]["nodeSelector"] = {{"disk", "fast"}};
  const Json created = Json::parse(Ask("POST", services, other.dump()).body);
  EXPECT_EQ(created["spec"]["template"]["spec"]["containerConcurrency"], 7);
  EXPECT_EQ(created["spec"]["template"]["spec"]["timeoutSeconds"], 60);
  EXPECT_EQ(set("config-features", {{"kubernetes.podspec-nodeselector", nullptr}}).status, 200);
  other["metadata"]["name"] = "third";
  EXPECT_EQ(Ask("POST", services, other.dump()).status, 400);

  // The deadline of revisions that have none of their own, as the autoscaler is told it.
  EXPECT_EQ(set("config-deployment", {{"progress-deadline", "77s"}}).status, 200);
  told = false;
  while (!told && !HasFailure()) {
    const v1::ScaleTargets targets = autoscaler_->Read();
    for (const v1::ScaleTarget& target : targets.targets())
      told = told || Nanos(target.progress_deadline_ns()) == Seconds(77);
  }
}

TEST_F(AssemblyTest, ARestartChangesNothing) {
  const v1::InstanceSpec spec = ServeHello();
  DisconnectAll();
  End();
  Begin();
  std::vector<std::string> changes;
  ObjectStore::WatchId watch = 0;
  on_.Call([this, &changes, &watch] {
    const auto follow = [&changes](const Change& change) {
      if (!api::IsConditionTrue(*change.object, "Ready")) changes.push_back(change.object->dump());
    };
    watch = *stores_->durable.Watch(resource::kServices, "", stores_->durable.revision(), follow);
  });
  v1::InstanceInventory inventory;
  *inventory.add_instances() = Running(spec);
  *inventory.mutable_instances(0)->mutable_spec() = spec;
  ConnectAll(inventory);
  EXPECT_TRUE(agent_->Read().has_keep_claims());
  const v1::DesiredInstances desired = agent_->Read().desired();
  EXPECT_EQ(desired.instances_size(), 1);
  EXPECT_EQ(desired.stop_size(), 0);
  DecideHello(1);
  ASSERT_TRUE(on_.WaitUntil([this, &spec] {
    const auto pod = stores_->soft.Get({"pods", "default", spec.instance_id()});
    return pod && (*pod->object)["status"]["phase"] == "Running";
  }));
  EXPECT_TRUE(on_.Call([this] { return HelloIsReady(); }));
  EXPECT_EQ(changes, std::vector<std::string>());
  on_.Call([this, watch] { stores_->durable.Unwatch(watch); });
}

TEST_F(AssemblyTest, ADomainMappingIsToldWithItsCertificateAndAgainWhenTheSecretChanges) {
  ServeHello();
  const auto told = [this](const std::string& chain) {
    while (!HasFailure()) {
      const v1::RoutingUpdate update = activator_->Read();
      for (const v1::Route& route : update.routes()) {
        if (route.key() != "default/www.example.com" || route.certificate().chain() != chain)
          continue;
        EXPECT_EQ(route.hosts(0).splits(0).revision(), "default/hello-00001");
        return;
      }
    }
  };
  const http::Pem pem = http::MakePem({"www.example.com"});
  Json secret = {{"apiVersion", "v1"},
                 {"kind", "Secret"},
                 {"metadata", {{"name", "cert"}}},
                 {"type", "kubernetes.io/tls"},
                 {"stringData", {{"tls.crt", pem.chain}, {"tls.key", pem.key}}}};
  EXPECT_EQ(Ask("POST", "/api/v1/namespaces/default/secrets", secret.dump()).status, 201);
  const std::string mappings =
      "/apis/serving.knative.dev/v1beta1/namespaces/default/domainmappings";
  const auto created = Ask("POST", mappings, R"({"apiVersion": "serving.knative.dev/v1beta1",
      "kind": "DomainMapping", "metadata": {"name": "www.example.com"},
      "spec": {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "hello"},
               "tls": {"secretName": "cert"}}})");
  EXPECT_EQ(created.status, 201) << created.body;
  told(pem.chain);
  EXPECT_TRUE(on_.WaitUntil([this] {
    const auto mapping =
        stores_->durable.Get({resource::kDomainMappings, "default", "www.example.com"});
    return mapping && api::IsConditionTrue(*mapping->object, "Ready");
  }));

  const http::Pem next = http::MakePem({"www.example.com"});
  const Json patch = {{"stringData", {{"tls.crt", next.chain}, {"tls.key", next.key}}}};
  EXPECT_EQ(Ask("PATCH", "/api/v1/namespaces/default/secrets/cert", patch.dump(),
                "application/merge-patch+json")
                .status,
            200);
  told(next.chain);

  EXPECT_EQ(Ask("DELETE", mappings + "/www.example.com").status, 200);
  bool removed = false;
  while (!removed && !HasFailure()) {
    const v1::RoutingUpdate update = activator_->Read();
    removed = std::ranges::count(update.removed_routes(), "default/www.example.com") > 0;
  }
  EXPECT_TRUE(removed);
}

TEST_F(AssemblyTest, DeletingTheServiceDrainsAndStopsItsInstance) {
  const v1::InstanceSpec spec = ServeHello();
  EXPECT_EQ(Ask("DELETE", "/apis/serving.knative.dev/v1/namespaces/default/services/hello").status,
            200);
  bool draining = false;
  while (!draining && !HasFailure()) {
    const v1::RoutingUpdate update = activator_->Read();
    for (const v1::Endpoints& endpoints : update.endpoints()) {
      draining = draining || (endpoints.endpoints_size() > 0 && endpoints.endpoints(0).draining());
    }
  }
  activator_->Send(SaysDrained(spec.instance_id()));
  EXPECT_EQ(ReadStop(), spec.instance_id());
  agent_->Send(Says(ReportOf(spec, v1::INSTANCE_STOPPED)));
  EXPECT_TRUE(on_.WaitUntil([this] {
    return stores_->soft.Count("pods") == 0 && stores_->durable.Count(resource::kRevisions) == 0 &&
           stores_->durable.Count(resource::kRoutes) == 0;
  }));
}

TEST_F(AssemblyTest, ACrashIsToldInTheConditionsAndInEvents) {
  ConnectAll();
  EXPECT_EQ(Ask("POST", "/apis/serving.knative.dev/v1/namespaces/default/services", kHello).status,
            201);
  DecideHello(1);
  const v1::InstanceSpec spec = ReadStart();
  v1::InstanceReport crashed = Running(spec);
  crashed.set_phase(v1::INSTANCE_BACKOFF);
  crashed.mutable_failure()->set_reason("CrashLoopBackOff");
  v1::ContainerReport& container = *crashed.mutable_containers(0);
  container.set_running(false);
  container.set_ready(false);
  container.mutable_last_termination()->set_exit_code(3);
  container.mutable_last_termination()->set_finished_at_ns(1'700'000'000'000'000'001);
  container.mutable_last_termination()->set_message("no database");
  agent_->Send(Says(crashed));
  EXPECT_TRUE(on_.WaitUntil([this] {
    const auto service = stores_->durable.Get({resource::kServices, "default", "hello"});
    return service &&
           service->object->dump().find("Container failed with: no database") != std::string::npos;
  }));
  EXPECT_TRUE(on_.WaitUntil([this] {
    const ListResult events = stores_->soft.List("events", "default");
    return std::ranges::any_of(events.objects, [](const auto& event) {
      return (*event)["reason"] == "ContainerDied" && (*event)["involvedObject"]["kind"] == "Pod";
    });
  }));
}

TEST_F(AssemblyTest, ACordonOutlivesARestart) {
  ConnectAll();
  ASSERT_TRUE(on_.WaitUntil([this] { return stores_->soft.Count("nodes") == 1; }));
  const std::string patch = R"({"spec": {"unschedulable": true}})";
  EXPECT_EQ(Ask("PATCH", "/api/v1/nodes/n1", patch, "application/merge-patch+json").status, 200);
  ASSERT_TRUE(on_.WaitUntil([this] {
    const auto record = stores_->durable.Get({"updraft.dev/nodes", "", "n1"});
    return record && (*record->object)["spec"]["unschedulable"] == true;
  }));
  DisconnectAll();
  End();
  Begin();
  ConnectAll();
  EXPECT_EQ(Ask("POST", "/apis/serving.knative.dev/v1/namespaces/default/services", kHello).status,
            201);
  DecideHello(1);
  EXPECT_TRUE(on_.WaitUntil([this] {
    const ListResult pods = stores_->soft.List("pods", "default");
    return pods.objects.size() == 1 &&
           pods.objects[0]->dump().find("node(s) were unschedulable") != std::string::npos;
  }));
  EXPECT_EQ(Get("/api/v1/nodes/n1")["spec"]["unschedulable"], true);
}

TEST_F(AssemblyTest, NodesHearOfClaims) {
  constexpr char kClaims[] = "/api/v1/namespaces/default/persistentvolumeclaims";
  const http::Response made =
      Ask("POST", kClaims, R"({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
      "metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string volume = Json::parse(made.body)["spec"]["volumeName"];
  ConnectAll();
  const v1::ControllerMessage first = agent_->Read();
  ASSERT_EQ(first.keep_claims().directories_size(), 1);
  EXPECT_EQ(first.keep_claims().directories(0), volume);
  EXPECT_TRUE(agent_->Read().has_desired());
  EXPECT_EQ(Ask("DELETE", std::string(kClaims) + "/data").status, 200);
  EXPECT_EQ(agent_->Read().remove_claim().directory(), volume);
  DisconnectAll();
}

}  // namespace
}  // namespace updraft::controller

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <openssl/x509.h>
#include <signal.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "node-agent/probe/http_attempt.h"
#include "node-agent/probe/network_probe_runner.h"
#include "tests/unit/node-agent/probe/loopback.h"

namespace updraft::node_agent {
namespace {

using testing::HasSubstr;
using testing::Not;

// Answers every command with what the test has laid down.
class ScriptedExec final : public ExecRunner {
 public:
  std::unique_ptr<ProbeAttempt> Run(const ExecCall& call, Nanos /*timeout*/, Done done) override {
    ran = call.command;
    loop->After(Nanos(0), [this, done = std::move(done)] { done(answer); });
    return std::make_unique<ProbeAttempt>();
  }
  Loop* loop = nullptr;
  std::vector<std::string> ran;
  Result<Outcome> answer = Outcome{};
};

class AttemptTest : public testing::Test {
 protected:
  AttemptTest() {
    signal(SIGPIPE, SIG_IGN);
    exec_.loop = &loop_;
  }
  ProbeOutcome Run(const ProbeCall& call, Nanos timeout = Seconds(5)) {
    ProbeOutcome outcome;
    bool told = false;
    std::unique_ptr<ProbeAttempt> attempt;
    attempt = runner_.Start(call, timeout, [&](const ProbeOutcome& result) {
      EXPECT_FALSE(told);
      told = true;
      outcome = result;
      attempt.reset();  // what the prober does
      loop_.Stop();
    });
    EXPECT_FALSE(told) << "told from within Start()";
    RunToEnd(loop_);
    return outcome;
  }
  HttpCall Http(uint16_t port) { return {.ip = "127.0.0.1", .port = port, .path = "/healthz"}; }

  Loop loop_;
  ScriptedExec exec_;
  NetworkProbeRunner runner_{loop_, exec_};
};

TEST_F(AttemptTest, TcpSucceedsWhenThePortAccepts) {
  BoundPort port;
  port.Listen();
  EXPECT_EQ(Run(TcpCall{"127.0.0.1", port.port()}).result, ProbeResult::kSuccess);
}

TEST_F(AttemptTest, TcpFailsWhenTheConnectionIsRefused) {
  const BoundPort port;
  const ProbeOutcome outcome = Run(TcpCall{"127.0.0.1", port.port()});
  EXPECT_EQ(outcome.result, ProbeResult::kFailure);
  EXPECT_EQ(outcome.message,
            "dial tcp 127.0.0.1:" + std::to_string(port.port()) + ": connect: Connection refused");
}

TEST_F(AttemptTest, AnAddressThatIsNoneIsAFailure) {
  EXPECT_EQ(Run(TcpCall{"no-address", 80}).result, ProbeResult::kFailure);
}

struct StatusCase {
  std::string name;
  std::string reply;
  ProbeResult want = ProbeResult::kFailure;
  std::string message;
};

class HttpStatusTest : public AttemptTest, public testing::WithParamInterface<StatusCase> {};

TEST_P(HttpStatusTest, Judges) {
  const StatusCase& c = GetParam();
  ScriptedServer server(loop_, c.reply);
  const ProbeOutcome outcome = Run(Http(server.port()));
  EXPECT_EQ(outcome.result, c.want);
  EXPECT_THAT(outcome.message, HasSubstr(c.message));
}

INSTANTIATE_TEST_SUITE_P(
    Table, HttpStatusTest,
    testing::ValuesIn(std::vector<StatusCase>{
        {"Ok", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ProbeResult::kSuccess, ""},
        {"NoReasonPhrase", "HTTP/1.0 204\r\n\r\n", ProbeResult::kSuccess, ""},
        {"RedirectIsASuccess", "HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n",
         ProbeResult::kSuccess, ""},
        {"InterimIsSkipped", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
         ProbeResult::kSuccess, ""},
        {"NotFound", "HTTP/1.1 404 Not Found\r\n\r\n", ProbeResult::kFailure,
         "HTTP probe failed with statuscode: 404"},
        {"Unavailable", "HTTP/1.1 503 Busy\r\n\r\n", ProbeResult::kFailure,
         "HTTP probe failed with statuscode: 503"},
        {"NotHttp", "SSH-2.0-OpenSSH\r\n", ProbeResult::kFailure, "malformed HTTP response"},
        {"CutOff", "HTTP/1.1 20", ProbeResult::kFailure, "EOF"},
    }),
    [](const auto& test) { return test.param.name; });

TEST_F(AttemptTest, HttpSendsTheUsersHeadersAndOurs) {
  ScriptedServer server(loop_, "HTTP/1.1 200 OK\r\n\r\n");
  HttpCall call = Http(server.port());
  call.headers = {{"X-Probe", "yes"}, {"Host", "hello.example"}, {"X-Bad", "a\r\nEvil: b"}};
  EXPECT_EQ(Run(call).result, ProbeResult::kSuccess);
  EXPECT_THAT(server.request(), testing::StartsWith("GET /healthz HTTP/1.1\r\n"));
  EXPECT_THAT(server.request(), HasSubstr("\r\nX-Probe: yes\r\n"));
  EXPECT_THAT(server.request(), HasSubstr("\r\nHost: hello.example\r\n"));
  EXPECT_THAT(server.request(), HasSubstr("\r\nUser-Agent: kube-probe/1.32\r\n"));
  EXPECT_THAT(server.request(), Not(HasSubstr("Evil")));
}

TEST_F(AttemptTest, ASilentServerIsAFailureWhenTheTimeoutHasPassed) {
  ScriptedServer server(loop_, "");
  const ProbeOutcome outcome = Run(Http(server.port()), Millis(30));
  EXPECT_EQ(outcome.result, ProbeResult::kFailure);
  EXPECT_THAT(outcome.message, HasSubstr("context deadline exceeded"));
}

TEST_F(AttemptTest, AnEndlessHeadIsCutOff) {
  ScriptedServer server(loop_, std::string(64 * 1024, 'H'));
  EXPECT_EQ(Run(Http(server.port())).result, ProbeResult::kFailure);
}

TEST_F(AttemptTest, ACancelledAttemptIsSilent) {
  ScriptedServer server(loop_, "HTTP/1.1 200 OK\r\n\r\n");
  auto http =
      runner_.Start(Http(server.port()), Millis(10), [](const ProbeOutcome&) { ADD_FAILURE(); });
  auto grpc = runner_.Start(GrpcCall{"127.0.0.1", server.port(), ""}, Millis(10),
                            [](const ProbeOutcome&) { ADD_FAILURE(); });
  http.reset();
  grpc.reset();
  loop_.After(Millis(50), [this] { loop_.Stop(); });
  loop_.Run();
}

// ---- TLS

struct TlsServerContext {
  TlsServerContext() : context(SSL_CTX_new(TLS_server_method())) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    EXPECT_EQ(SSL_CTX_use_certificate(context, certificate), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~TlsServerContext() { SSL_CTX_free(context); }
  SSL_CTX* context;
};

TEST_F(AttemptTest, HttpsDoesNotVerify) {
  const TlsServerContext tls;
  ScriptedServer server(loop_, "HTTP/1.1 200 OK\r\n\r\n", tls.context);
  HttpCall call = Http(server.port());
  call.tls = true;
  EXPECT_EQ(Run(call).result, ProbeResult::kSuccess);
  EXPECT_THAT(server.request(), testing::StartsWith("GET /healthz"));
}

TEST_F(AttemptTest, HttpsToAPlainServerIsAFailure) {
  ScriptedServer server(loop_, "");
  HttpCall call = Http(server.port());
  call.tls = true;
  EXPECT_EQ(Run(call, Millis(50)).result, ProbeResult::kFailure);
}

// ---- gRPC

namespace health = grpc::health::v1;

// Serves as a whole; the service "shop" does not; others are unknown to it.
class HealthService final : public health::Health::CallbackService {
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const health::HealthCheckRequest* request,
                                  health::HealthCheckResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const bool known = request->service().empty() || request->service() == "shop";
    response->set_status(request->service().empty() ? health::HealthCheckResponse::SERVING
                                                    : health::HealthCheckResponse::NOT_SERVING);
    reactor->Finish(known ? grpc::Status::OK
                          : grpc::Status(grpc::StatusCode::NOT_FOUND, "unknown service"));
    return reactor;
  }
};

struct HealthServer {
  HealthServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service);
    server = builder.BuildAndStart();
  }
  int port = 0;
  HealthService service;
  std::unique_ptr<grpc::Server> server;
};

TEST_F(AttemptTest, GrpcServingIsASuccess) {
  HealthServer server;
  const ProbeOutcome outcome = Run(GrpcCall{"127.0.0.1", static_cast<uint16_t>(server.port), ""});
  EXPECT_EQ(outcome.result, ProbeResult::kSuccess) << outcome.message;
}

TEST_F(AttemptTest, GrpcNotServingIsAFailure) {
  HealthServer server;
  const ProbeOutcome outcome =
      Run(GrpcCall{"127.0.0.1", static_cast<uint16_t>(server.port), "shop"});
  EXPECT_EQ(outcome.result, ProbeResult::kFailure);
  EXPECT_EQ(outcome.message, "service unhealthy (responded with \"NOT_SERVING\")");
}

TEST_F(AttemptTest, GrpcOfAnUnknownServiceIsAFailure) {
  HealthServer server;
  const ProbeOutcome outcome =
      Run(GrpcCall{"127.0.0.1", static_cast<uint16_t>(server.port), "other"});
  EXPECT_EQ(outcome.result, ProbeResult::kFailure);
  EXPECT_EQ(outcome.message, "error: health rpc failed: unknown service");
}

TEST_F(AttemptTest, GrpcToAClosedPortFailsAtOnce) {
  const BoundPort port;
  const ProbeOutcome outcome = Run(GrpcCall{"127.0.0.1", port.port(), ""});
  EXPECT_EQ(outcome.result, ProbeResult::kFailure);
  EXPECT_THAT(outcome.message, HasSubstr("failed to connect service"));
}

// ---- exec

struct ExecCase {
  std::string name;
  Result<ExecRunner::Outcome> answer;
  ProbeResult want = ProbeResult::kSuccess;
};

class ExecTest : public AttemptTest, public testing::WithParamInterface<ExecCase> {};

TEST_P(ExecTest, Judges) {
  exec_.answer = GetParam().answer;
  EXPECT_EQ(Run(ExecCall{"c1", {"/bin/check", "-q"}}).result, GetParam().want);
  EXPECT_THAT(exec_.ran, testing::ElementsAre("/bin/check", "-q"));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ExecTest,
    testing::ValuesIn(std::vector<ExecCase>{
        {"ExitZero", ExecRunner::Outcome{.exit_code = 0}, ProbeResult::kSuccess},
        {"ExitOne", ExecRunner::Outcome{.exit_code = 1, .output = "no"}, ProbeResult::kFailure},
        {"TooSlow", Error{Code::kDeadlineExceeded, "timed out"}, ProbeResult::kFailure},
        {"CouldNotRun", Error{Code::kUnavailable, "no containerd"}, ProbeResult::kUnknown},
    }),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace updraft::node_agent

// A client and a server of gRPC's own, and the activator between them.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "tests/integration/http/activator_fixture.h"
#include "tests/integration/http/memory.h"

namespace updraft::activator {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& text) {
  const grpc::Slice slice(text);
  return {&slice, 1};
}
std::string ToText(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  (void)buffer.Dump(&slices);
  std::string text;
  for (const grpc::Slice& slice : slices)
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return text;
}

// ---- the server: what it does is in the method's name

struct ServerState {
  std::atomic<int> begun = 0;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::atomic<int> cancelled = 0;
};

constexpr size_t kMuch = 1 << 18;  // bytes of a message of /test/Much

class ServerCall final : public grpc::ServerGenericBidiReactor {
 public:
  ServerCall(grpc::GenericCallbackServerContext& context, ServerState& state)
      : method_(context.method()), state_(state) {
    const int running = ++state_.running;
    ++state_.begun;
    int most = state_.most;
    while (running > most && !state_.most.compare_exchange_weak(most, running)) {
    }
    context.AddTrailingMetadata("x-trailing", "value");
    if (method_ == "/test/Fail") {
      End(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such thing: 100 %"));
    } else {
      StartRead(&in_);
    }
  }

  void OnReadDone(bool ok) override {
    if (!ok) return OnClientDone();
    ++count_;
    if (method_ == "/test/Many") {
      left_ = std::stoi(ToText(in_));
      return WriteNext();
    }
    if (method_ == "/test/Much") {
      left_ = std::stoi(ToText(in_));
      out_ = ToBuffer(std::string(kMuch, 'm'));
      return WriteSame();
    }
    if (method_ == "/test/Echo") {
      StartWrite(&in_);
    } else if (method_ != "/test/Hang") {
      StartRead(&in_);
    }
  }
  void OnWriteDone(bool ok) override {
    if (!ok || method_ == "/test/Count") return End(grpc::Status::OK);
    if (method_ == "/test/Many") return WriteNext();
    if (method_ == "/test/Much") return WriteSame();
    StartRead(&in_);
  }
  void OnCancel() override {
    ++state_.cancelled;
    if (method_ == "/test/Hang") End(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  // Out of the count first: the client may know before OnDone() that the call is over.
  void End(const grpc::Status& status) {
    --state_.running;
    Finish(status);
  }
  void OnClientDone() {
    if (method_ != "/test/Count") return End(grpc::Status::OK);
    out_ = ToBuffer(std::to_string(count_));
    StartWrite(&out_);
  }
  void WriteNext() {
    if (left_ == 0) return End(grpc::Status::OK);
    out_ = ToBuffer(std::to_string(left_--));
    StartWrite(&out_);
  }
  void WriteSame() {
    if (left_-- == 0) return End(grpc::Status(grpc::StatusCode::DATA_LOSS, "behind it all"));
    StartWrite(&out_);
  }

  const std::string method_;
  ServerState& state_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
  int count_ = 0;
  int left_ = 0;
};

class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(ServerState& state) : state_(state) {}
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new ServerCall(*context, state_);  // deletes itself
  }

 private:
  ServerState& state_;
};

class Server {
 public:
  Server() : service_(state) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(&service_);
    builder.SetMaxReceiveMessageSize(-1);
    server_ = builder.BuildAndStart();
  }
  ~Server() { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1)); }
  uint16_t port() const { return static_cast<uint16_t>(port_); }

  ServerState state;

 private:
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// ---- the client

// A call: sends its messages, each after the answer to the one before if `in_turns`, and keeps what
// comes.
class Call final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  struct Plan {
    std::string method;
    std::vector<std::string> messages = {};
    bool in_turns = false;
    Nanos deadline = Seconds(60);
    bool keep = true;  // what comes; else only its bytes are counted
  };

  Call(const std::shared_ptr<grpc::Channel>& channel, Plan plan)
      : plan_(std::move(plan)), stub_(channel) {
    context_.set_deadline(std::chrono::system_clock::now() + plan_.deadline);
    context_.AddMetadata("x-leading", "value");
    stub_.PrepareBidiStreamingCall(&context_, plan_.method, grpc::StubOptions(), this);
    SendNext();
    StartRead(&in_);
    StartCall();
  }

  ~Call() {
    Cancel();
    (void)Wait();
  }

  grpc::Status Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
    return status_;
  }
  // Until so many messages have come.
  void WaitFor(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, count] { return received_.size() >= count || done_; });
  }
  void Cancel() { context_.TryCancel(); }
  const std::vector<std::string>& received() const { return received_; }  // after Wait()
  size_t bytes() const { return bytes_; }                                 // after Wait()
  bool has_trailing() const { return context_.GetServerTrailingMetadata().contains("x-trailing"); }

  void OnWriteDone(bool ok) override {
    if (ok) OnTurn();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    {
      const std::lock_guard lock(mutex_);
      if (plan_.keep) received_.push_back(ToText(in_));
      bytes_ += in_.Length();
      changed_.notify_all();
    }
    StartRead(&in_);
    if (plan_.in_turns) OnTurn();
  }
  void OnDone(const grpc::Status& status) override {
    const std::lock_guard lock(mutex_);
    status_ = status;
    done_ = true;
    changed_.notify_all();
  }

 private:
  // The last message is out, and in turns its answer is here.
  void OnTurn() {
    if (++turn_ % (plan_.in_turns ? 2 : 1) == 0) SendNext();
  }
  void SendNext() {
    if (sent_ == plan_.messages.size()) {
      if (!plan_.messages.empty() && !std::exchange(writes_done_, true)) StartWritesDone();
      return;
    }
    out_ = ToBuffer(plan_.messages[sent_++]);
    StartWrite(&out_);
  }

  const Plan plan_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
  size_t sent_ = 0;
  std::atomic<int> turn_ = 0;
  bool writes_done_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> received_;
  size_t bytes_ = 0;
  grpc::Status status_;
  bool done_ = false;
};

RevisionSettings OfGrpc(uint32_t container_concurrency = 0, Nanos timeout = Seconds(300)) {
  RevisionSettings settings;
  settings.protocol = Protocol::kH2c;
  settings.container_concurrency = container_concurrency;
  settings.timeout = timeout;
  return settings;
}

class GrpcTest : public testing::Test {
 protected:
  explicit GrpcTest(RevisionSettings settings = OfGrpc())
      : activator_(Workers(2), std::move(settings)) {
    grpc::ChannelArguments arguments;
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "app.test");
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    channel_ = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(activator_.port()),
                                         grpc::InsecureChannelCredentials(), arguments);
  }
  void Start() { activator_.SetPorts({server_.port()}); }
  std::unique_ptr<Call> Begin(Call::Plan plan) {
    return std::make_unique<Call>(channel_, std::move(plan));
  }
  void WaitUntilIdle() {
    while (activator_.in_flight(server_.port()) != 0 || server_.state.running != 0)
      poll(nullptr, 0, 1);
  }

  Server server_;
  ActivatorFixture activator_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(GrpcTest, Unary) {
  Start();
  const auto call = Begin({"/test/Echo", {"hello"}});
  EXPECT_TRUE(call->Wait().ok()) << call->Wait().error_message();
  EXPECT_EQ(call->received(), std::vector<std::string>{"hello"});
  EXPECT_TRUE(call->has_trailing());
}

TEST_F(GrpcTest, AnErrorIsTheServersOwn) {
  Start();
  const auto call = Begin({"/test/Fail", {"hello"}});
  EXPECT_EQ(call->Wait().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(call->Wait().error_message(), "no such thing: 100 %");
  EXPECT_TRUE(call->has_trailing());
}

TEST_F(GrpcTest, ClientStreaming) {
  Start();
  const auto call = Begin({"/test/Count", std::vector<std::string>(1000, "message")});
  EXPECT_TRUE(call->Wait().ok()) << call->Wait().error_message();
  EXPECT_EQ(call->received(), std::vector<std::string>{"1000"});
}

TEST_F(GrpcTest, ServerStreaming) {
  Start();
  const auto call = Begin({"/test/Many", {"1000"}});
  EXPECT_TRUE(call->Wait().ok()) << call->Wait().error_message();
  ASSERT_EQ(call->received().size(), 1000u);
  EXPECT_EQ(call->received().back(), "1");
}

TEST_F(GrpcTest, BidirectionalStreamingInTurns) {
  Start();
  std::vector<std::string> messages;
  for (int i = 0; i < 300; ++i) messages.push_back("turn " + std::to_string(i));
  const auto call = Begin({"/test/Echo", messages, true});
  EXPECT_TRUE(call->Wait().ok()) << call->Wait().error_message();
  EXPECT_EQ(call->received(), messages);
}

TEST_F(GrpcTest, BigMessages) {
  Start();
  const std::vector<std::string> messages(3, std::string(16 << 20, 'm'));
  const auto call = Begin({"/test/Echo", messages});
  EXPECT_TRUE(call->Wait().ok()) << call->Wait().error_message();
  EXPECT_TRUE(call->received() == messages);
}

TEST_F(GrpcTest, TheStatusComesBehindAGigabyteThatTakesNoMemory) {
  constexpr size_t kBytes = size_t{1} << 30;
  Start();
  EXPECT_TRUE(Begin({"/test/Echo", {"first"}})->Wait().ok());
  const size_t before = ResidentBytes();
  const auto call = Begin({.method = "/test/Much",
                           .messages = {std::to_string(kBytes / kMuch)},
                           .deadline = Seconds(280),
                           .keep = false});
  EXPECT_EQ(call->Wait().error_code(), grpc::StatusCode::DATA_LOSS) << call->Wait().error_message();
  EXPECT_EQ(call->Wait().error_message(), "behind it all");
  EXPECT_TRUE(call->has_trailing());
  EXPECT_EQ(call->bytes(), kBytes);
  if (kMemoryCounts) {
    EXPECT_LT(ResidentBytes(), before + (size_t{64} << 20));
  }
}

TEST_F(GrpcTest, ACancelledCallIsCancelledAtTheServer) {
  Start();
  const auto call = Begin({"/test/Echo", {"one"}, true, Seconds(60)});
  const auto hanging = Begin({"/test/Hang", {"one"}});
  call->WaitFor(1);
  while (server_.state.running == 0) poll(nullptr, 0, 1);
  hanging->Cancel();
  EXPECT_EQ(hanging->Wait().error_code(), grpc::StatusCode::CANCELLED);
  WaitUntilIdle();
  EXPECT_GE(server_.state.cancelled, 1);
}

TEST_F(GrpcTest, TheClientsDeadlineEndsTheCallOnBothSides) {
  Start();
  // A machine may be so slow that the deadline comes before the call has come to the server.
  for (Nanos deadline = Millis(150); server_.state.begun == 0; deadline *= 2) {
    const auto call = Begin({"/test/Hang", {"one"}, false, deadline});
    EXPECT_EQ(call->Wait().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  WaitUntilIdle();
  EXPECT_EQ(server_.state.cancelled, server_.state.begun);
}

TEST_F(GrpcTest, AThousandStreamsAtOnceOnOneConnection) {
  Start();
  EXPECT_TRUE(Begin({"/test/Echo", {"first"}})->Wait().ok());
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 999; ++i) calls.push_back(Begin({"/test/Hang", {"stays"}}));
  while (server_.state.running < 999) poll(nullptr, 0, 1);
  const auto last = Begin({"/test/Echo", {"passes"}});
  EXPECT_TRUE(last->Wait().ok()) << last->Wait().error_message();
  for (const auto& call : calls) call->Cancel();
  for (const auto& call : calls) EXPECT_EQ(call->Wait().error_code(), grpc::StatusCode::CANCELLED);
  WaitUntilIdle();
}

TEST_F(GrpcTest, CallsAreHeldAtZeroAndThenAnswered) {
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 200; ++i) calls.push_back(Begin({"/test/Echo", {std::to_string(i)}}));
  activator_.events().WaitForDemand();
  Start();
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(calls[static_cast<size_t>(i)]->Wait().ok())
        << calls[static_cast<size_t>(i)]->Wait().error_message();
    EXPECT_EQ(calls[static_cast<size_t>(i)]->received(),
              std::vector<std::string>{std::to_string(i)});
  }
}

TEST_F(GrpcTest, AnUnknownHostIsUnimplemented) {
  grpc::ChannelArguments arguments;
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "other.test");
  channel_ = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(activator_.port()),
                                       grpc::InsecureChannelCredentials(), arguments);
  const auto call = Begin({"/test/Echo", {"hello"}});
  EXPECT_EQ(call->Wait().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_NE(call->Wait().error_message().find("activator found no route"), std::string::npos)
      << call->Wait().error_message();
}

class LimitedGrpcTest : public GrpcTest {
 protected:
  LimitedGrpcTest() : GrpcTest(OfGrpc(5)) {}
};

TEST_F(LimitedGrpcTest, NeverMoreCallsThanTheLimitAreInside) {
  Start();
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 300; ++i) calls.push_back(Begin({"/test/Echo", {"x", "y", "z"}, true}));
  for (const auto& call : calls) EXPECT_TRUE(call->Wait().ok()) << call->Wait().error_message();
  EXPECT_LE(server_.state.most, 5);
}

class ImpatientGrpcTest : public GrpcTest {
 protected:
  ImpatientGrpcTest() : GrpcTest(OfGrpc(0, Millis(200))) {}
};

TEST_F(ImpatientGrpcTest, ATimeoutOfTheRevisionIsADeadlineExceeded) {
  const auto held = Begin({"/test/Echo", {"hello"}});
  EXPECT_EQ(held->Wait().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_NE(held->Wait().error_message().find("timeoutSeconds"), std::string::npos)
      << held->Wait().error_message();
  Start();
  const auto hanging = Begin({"/test/Hang", {"hello"}});
  EXPECT_EQ(hanging->Wait().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  WaitUntilIdle();
}

}  // namespace
}  // namespace updraft::activator

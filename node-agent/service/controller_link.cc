#include "node-agent/service/controller_link.h"

#include <utility>

#include "core/base/log.h"
#include "node-agent/instance/store_images.h"

namespace updraft::node_agent {
namespace {

constexpr Nanos kStatusInterval = Seconds(10);
constexpr Nanos kUsageInterval = Seconds(15);

}  // namespace

ControllerLink::ControllerLink(Loop& loop, const std::string& controller, v1::NodeHello hello, InstanceHost& host,
                               ImageStore& images, ControllerLinkCallbacks callbacks)
    : loop_(loop),
      hello_(std::move(hello)),
      host_(host),
      images_(images),
      callbacks_(std::move(callbacks)),
      stub_(v1::NodeService::NewStub(rpc::MakeChannel(controller))),
      link_(loop, *this, [this](grpc::ClientContext* context, auto* reactor) {
        stub_->async()->Connect(context, reactor);
      }) {}

ControllerLink::~ControllerLink() {
  loop_.Cancel(status_timer_);
  loop_.Cancel(usage_timer_);
}

void ControllerLink::Report(const v1::InstanceReport& report) {
  v1::NodeMessage message;
  *message.mutable_instance() = report;
  link_.Send(std::move(message));
}

void ControllerLink::OnConnected() {
  Log(Level::kInfo, "controller_connected");
  v1::NodeMessage hello;
  *hello.mutable_hello() = hello_;
  link_.Send(std::move(hello));
  v1::NodeMessage inventory;
  *inventory.mutable_inventory() = host_.Inventory();
  link_.Send(std::move(inventory));
  SendStatus();
  SendUsage();
}

void ControllerLink::OnDisconnected(const Error& why) {
  Log(Level::kWarn, "controller_lost", {{"error", why.message}});
  loop_.Cancel(std::exchange(status_timer_, 0));
  loop_.Cancel(std::exchange(usage_timer_, 0));
}

void ControllerLink::SendStatus() {
  v1::NodeMessage message;
  *message.mutable_status() = callbacks_.status();
  link_.Send(std::move(message));
  status_timer_ = loop_.After(kStatusInterval, [this] { SendStatus(); });
}

void ControllerLink::SendUsage() {
  v1::NodeMessage message;
  *message.mutable_usage() = host_.Usage(loop_.Now());
  if (message.usage().readings_size() > 0) link_.Send(std::move(message));
  usage_timer_ = loop_.After(kUsageInterval, [this] { SendUsage(); });
}

void ControllerLink::OnMessage(v1::ControllerMessage message) {
  switch (message.message_case()) {
    case v1::ControllerMessage::kDesired:
      return OnDesired(message.desired());
    case v1::ControllerMessage::kStart:
      return callbacks_.start(message.start());
    case v1::ControllerMessage::kStop:
      return host_.Stop(message.stop().instance_id(), Nanos(message.stop().grace_ns()));
    case v1::ControllerMessage::kPrepare:
      return OnPrepare(message.prepare());
    case v1::ControllerMessage::kKeepClaims:
      return callbacks_.keep_claims(message.keep_claims());
    case v1::ControllerMessage::kRemoveClaim:
      return callbacks_.remove_claim(message.remove_claim());
    case v1::ControllerMessage::MESSAGE_NOT_SET:
      return;
  }
}

// What it does not name it does not know of yet, and leaves alone.
void ControllerLink::OnDesired(const v1::DesiredInstances& desired) {
  for (const v1::StopInstance& stop : desired.stop()) host_.Stop(stop.instance_id(), Nanos(stop.grace_ns()));
  for (const v1::InstanceSpec& spec : desired.instances()) callbacks_.start(spec);
}

void ControllerLink::OnPrepare(const v1::PrepareImage& prepare) {
  google::protobuf::RepeatedPtrField<v1::ImageAuth> auth;
  if (prepare.has_auth()) *auth.Add() = prepare.auth();
  images_.Ensure({.image = prepare.image(), .digest = {}, .credentials = CredentialsOf(auth)},
                 [image = prepare.image()](const auto& prepared) {
                   if (prepared) return;
                   Log(Level::kWarn, "image_not_prepared", {{"image", image}, {"error", prepared.error().message}});
                 });
}

}  // namespace updraft::node_agent

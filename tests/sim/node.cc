#include "tests/sim/node.h"

#include <signal.h>

#include <set>
#include <utility>

#include "node-agent/instance/run_record.h"
#include "node-agent/probe/probe_call.h"
#include "tests/sim/agent.h"

namespace updraft::sim {
namespace {

constexpr int kAddressesMax = 60;

}  // namespace

SimNode::SimNode(const NodeSurroundings& around, MachineClock& clock)
    : around_(around), clock_(clock), name_("node-" + std::to_string(around.number)) {
  for (int i = 2; i < 2 + std::max<int>(kAddressesMax, static_cast<int>(around.instances_max) + 10); ++i) {
    free_addresses_.push_back("10." + std::to_string(around.number / 200) + "." + std::to_string(around.number % 200) +
                              "." + std::to_string(i));
  }
}

SimNode::~SimNode() { KillAgent(); }

void SimNode::PowerOn() {
  if (machine_) return;
  machine_ = std::make_unique<Process>(around_.time, clock_);
  Trace("on");
  machine_->After(around_.chance.Between(Millis(10), Millis(400)), [this] { StartAgent(); });
}

void SimNode::PowerOff() {
  if (!machine_) return;
  Trace("off");
  KillAgent();
  for (auto& [id, container] : containers_) container->program.Die();
  containers_.clear();
  by_address_.clear();
  for (auto& [instance, ip] : addresses_) free_addresses_.push_back(ip);
  addresses_.clear();
  once_ready_.clear();
  machine_.reset();
}

void SimNode::StartAgent() {
  if (!machine_ || agent_) return;
  Trace("agent starts");
  agent_ = std::make_unique<Agent>(*this);
}

void SimNode::KillAgent() {
  if (!agent_) return;
  Trace("agent dies");
  agent_.reset();
}

bool SimNode::agent_ready() const { return agent_ && agent_->ready(); }
bool SimNode::HasInstance(const std::string& instance) const { return agent_ && agent_->Has(instance); }
bool SimNode::Stopping(const std::string& instance) const { return agent_ && agent_->Stopping(instance); }
std::vector<std::string> SimNode::Instances() const {
  return agent_ ? agent_->Instances() : std::vector<std::string>();
}

Program* SimNode::Listening(const std::string& ip) {
  const auto it = by_address_.find(ip);
  return it == by_address_.end() || !it->second->program.listening ? nullptr : &it->second->program;
}

void SimNode::Crash(const std::string& container) {
  const auto it = containers_.find(container);
  if (it == containers_.end() || it->second->state != SimContainer::State::kRunning) return;
  Trace(container + " crashes");
  Exit(*it->second, 1);
}

void SimNode::Exit(SimContainer& container, uint32_t status) {
  if (container.state != SimContainer::State::kRunning) return;
  container.state = SimContainer::State::kExited;
  container.exit_status = status;
  container.exited_at = clock_.Wall();
  by_address_.erase(container.ip);
  const std::string id = container.record.id;
  container.program.Die();
  machine_->After(around_.weather.Latency(), [this, id] {
    const auto it = containers_.find(id);
    if (agent_ && it != containers_.end()) agent_->OnExit(*it->second);
  });
}

void SimNode::RunProgram(SimContainer& container, const std::string& image) {
  container.state = SimContainer::State::kRunning;
  container.program.running = true;
  by_address_[container.ip] = &container;
  const std::string id = container.record.id;
  const auto while_it_runs = [this, id](Nanos after, std::function<void(SimContainer&)> then) {
    machine_->After(after, [this, id, then = std::move(then)] {
      const auto it = containers_.find(id);
      if (it != containers_.end() && it->second->state == SimContainer::State::kRunning) then(*it->second);
    });
  };
  if (image.find("crash") != std::string::npos) {
    while_it_runs(around_.chance.Between(Millis(5), Millis(300)), [this](SimContainer& c) { Exit(c, 3); });
    return;
  }
  Nanos takes = around_.chance.Between(Millis(3), Millis(80));
  if (image.find("slow") != std::string::npos) takes = around_.chance.Between(Seconds(1), Seconds(8));
  if (around_.weather.stormy && around_.chance.OneIn(25)) takes += around_.chance.Between(Seconds(1), Seconds(20));
  while_it_runs(takes, [this](SimContainer& c) {
    c.program.listening = true;
    if (agent_) agent_->OnListening(c);
  });
}

std::optional<std::string> SimNode::ClaimAddress(const std::string& instance) {
  const auto known = addresses_.find(instance);
  if (known != addresses_.end()) return known->second;
  if (free_addresses_.empty()) return std::nullopt;
  const std::string ip = free_addresses_.front();
  free_addresses_.pop_front();
  addresses_[instance] = ip;
  return ip;
}

void SimNode::ReleaseAddress(const std::string& instance) {
  const auto it = addresses_.find(instance);
  if (it == addresses_.end()) return;
  free_addresses_.push_back(it->second);
  addresses_.erase(it);
}

}  // namespace updraft::sim

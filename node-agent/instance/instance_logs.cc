#include "node-agent/instance/instance_logs.h"

#include <utility>

#include "core/base/log.h"

namespace updraft::node_agent {
namespace {

// The shim closes its ends when the last process has closed its own: at once, unless something is very wrong.
constexpr Nanos kFinishPatience = Seconds(1);

}  // namespace

InstanceLogs::InstanceLogs(LogStore& store, std::string directory)
    : store_(store), directory_(std::move(directory)) {}

InstanceLogs::~InstanceLogs() = default;

void InstanceLogs::Begin(const v1::InstanceSpec& instance) {
  const Status begun = store_.Begin({.instance_id = instance.instance_id(),
                                     .namespace_name = instance.namespace_(),
                                     .revision = instance.namespace_() + "/" + instance.revision(),
                                     .serving_container = instance.serving_container()});
  if (!begun) {
    Log(Level::kWarn, "no_logs", {{"instance", instance.instance_id()}, {"error", begun.error().message}});
  }
}

void InstanceLogs::AdoptionIsOver() { store_.AdoptionDone(); }

Result<TaskStdio> InstanceLogs::Open(const LogKey& key) {
  Result<std::unique_ptr<ContainerLog>> log = store_.NewLog(key.instance_id, key.container, key.run);
  if (!log) return Context("log", log.error());
  const std::string stem = directory_ + "/" + key.instance_id + "/" + key.container + "." + std::to_string(key.run);
  const LogFifos fifos{.stdout_path = stem + ".stdout", .stderr_path = stem + ".stderr"};
  if (Status made = MakeLogFifos(fifos); !made) return Context("log", made.error());
  if (Status opened = (*log)->Open(fifos); !opened) return Context("log", opened.error());
  open_[key].log = std::move(*log);
  return TaskStdio{.standard_output = fifos.stdout_path, .standard_error = fifos.stderr_path};
}

void InstanceLogs::Finish(const LogKey& key, std::function<void()> done) {
  const auto it = open_.find(key);
  if (it == open_.end()) return done();
  it->second.finished.push_back(std::move(done));
  if (it->second.finished.size() > 1) return;
  it->second.log->Finish(kFinishPatience, [this, key] {
    auto node = open_.extract(key);
    node.mapped().log.reset();
    for (const auto& finished : node.mapped().finished) finished();
  });
}

std::string InstanceLogs::TerminationMessage(const LogKey& key) {
  return store_.TerminationMessage(key.instance_id, key.container, key.run);
}

void InstanceLogs::End(const std::string& instance_id) { store_.End(instance_id); }

}  // namespace updraft::node_agent

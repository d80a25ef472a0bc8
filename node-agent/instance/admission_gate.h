// Lets containers be created a few at a time, see admission.h. Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "node-agent/instance/admission.h"

namespace updraft::node_agent {

class AdmissionGate {
 public:
  using Ticket = Admission::Ticket;  // 0 is never a ticket

  explicit AdmissionGate(size_t running_max) : admission_(running_max) {}

  // `go` runs when it is the caller's turn, perhaps from within the call. The caller leaves when it is done with
  // it, or no longer wants to.
  Ticket Enter(const std::string& revision, std::function<void()> go) {
    const Ticket ticket = admission_.Enter(revision);
    waiting_.emplace(ticket, std::move(go));
    LetGo();
    return ticket;
  }

  void Leave(Ticket ticket) {
    waiting_.erase(ticket);
    admission_.Leave(ticket);
    LetGo();
  }

  size_t running() const { return admission_.running(); }
  size_t waiting() const { return admission_.waiting(); }

 private:
  void LetGo() {
    while (const auto ticket = admission_.Next()) {
      const auto node = waiting_.extract(*ticket);
      node.mapped()();
    }
  }

  Admission admission_;
  std::map<Ticket, std::function<void()>> waiting_;
};

}  // namespace updraft::node_agent

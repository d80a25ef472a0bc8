// The activator's workers with some revisions, and instances for them that do what a request's path says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/http/sync.h"
#include "tests/integration/http/activator_fixture.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::activator {

struct Ports {
  uint16_t plain = 0;
  uint16_t tls = 0;
};

// Hosts: app.test; few.test, whose two instances take two requests each; h2.test, whose instance speaks HTTP/2; hasty.test,
// whose requests have 30 ms; cold.test, whose only instance comes and goes; and under TLS app.test.
class Ground {
 public:
  Ground();

  Ports ports() const { return ports_; }
  // The controller has something to say: the next of a row that goes round.
  void Change();
  // The cold one has its instance, and stays.
  void Settle();
  // Instances that were left alone, for a connection that failed, are used again. How many so far.
  size_t RestoreEjected() { return ejections_ += activator_.RestoreEjected(); }

  // Of all revisions. Any thread.
  const std::vector<RevisionPage::OfRevision>& revisions() const { return revisions_; }
  // For a person, empty if there is none: requests that are held or running; and revisions of which not every request that
  // arrived has an end that was recorded.
  std::string Inside() const;
  std::string Unrecorded() const;

 private:
  void SetCold(bool known, bool draining);

  http::TestServer first_;
  http::TestServer second_;
  ActivatorFixture activator_;
  Ports ports_;
  std::vector<RevisionPage::OfRevision> revisions_;
  uint32_t changes_ = 0;
  size_t ejections_ = 0;
};

}  // namespace updraft::activator

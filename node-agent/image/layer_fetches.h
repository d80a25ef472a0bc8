// The layers of one image on their way, several at a time, for someone who wants them in order.
#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "node-agent/image/blob_source.h"
#include "node-agent/image/cancel.h"
#include "node-agent/image/worker_pool.h"

namespace updraft::node_agent {

// One thread constructs, waits and destroys.
class LayerFetches {
 public:
  // Begins at once. All arguments must outlive this object; `parallel` workers at most are used.
  LayerFetches(WorkerPool& pool, size_t parallel, const ContentStore& store, BlobSource& source,
               std::vector<Descriptor> layers);

  // Lets layers that have not begun be, and waits for the others: cancel what they do before, if it
  // should be short.
  ~LayerFetches();
  LayerFetches(const LayerFetches&) = delete;
  LayerFetches& operator=(const LayerFetches&) = delete;

  // Blocks until the layer is there or has failed.
  Status WaitFor(size_t index);

 private:
  void Work();
  std::optional<size_t> TakeNext();

  const ContentStore& store_;
  BlobSource& source_;
  const std::vector<Descriptor> layers_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::optional<Status>> results_;
  size_t next_ = 0;
  size_t workers_ = 0;
};

}  // namespace updraft::node_agent

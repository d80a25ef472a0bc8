#include "node-agent/image/layer_fetches.h"

#include <algorithm>

namespace updraft::node_agent {

LayerFetches::LayerFetches(WorkerPool& pool, size_t parallel, const ContentStore& store,
                           BlobSource& source, std::vector<Descriptor> layers)
    : store_(store), source_(source), layers_(std::move(layers)), results_(layers_.size()) {
  workers_ = std::min(parallel, layers_.size());
  for (size_t i = workers_; i > 0; --i) pool.Submit([this] { Work(); });
}

LayerFetches::~LayerFetches() {
  std::unique_lock lock(mutex_);
  next_ = layers_.size();
  changed_.wait(lock, [this] { return workers_ == 0; });
}

Status LayerFetches::WaitFor(size_t index) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this, index] { return results_[index].has_value(); });
  return *results_[index];
}

std::optional<size_t> LayerFetches::TakeNext() {
  const std::lock_guard lock(mutex_);
  if (next_ < layers_.size()) return next_++;
  return std::nullopt;
}

void LayerFetches::Work() {
  while (const std::optional<size_t> index = TakeNext()) {
    Status fetched = source_.Provide(store_, BlobSource::Kind::kLayer, layers_[*index]);
    const std::lock_guard lock(mutex_);
    if (!fetched) next_ = layers_.size();
    results_[*index] = std::move(fetched);
    changed_.notify_all();
  }
  const std::lock_guard lock(mutex_);
  if (--workers_ == 0) {
    // After a failure nobody fetches the rest.
    for (std::optional<Status>& result : results_) {
      if (!result.has_value()) result = Error{Code::kCancelled, "another layer failed"};
    }
  }
  changed_.notify_all();
}

}  // namespace updraft::node_agent

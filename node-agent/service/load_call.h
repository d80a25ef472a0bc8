// One LoadImage call: an archive's bytes in, progress out.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/loop.h"
#include "node-agent/image/image_store.h"
#include "updraft/v1/node.grpc.pb.h"

namespace updraft::node_agent {

class LoadCall final : public grpc::ServerBidiReactor<v1::LoadImageRequest, v1::LoadImageProgress>,
                       public std::enable_shared_from_this<LoadCall> {
 public:
  // For the service's method to return: it lives until the call is done. `store` must outlive the gRPC server.
  static LoadCall* Accept(Loop& loop, ImageStore& store);

  LoadCall(Loop& loop, ImageStore& store) : loop_(loop), store_(store) {}

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void Begin(const v1::LoadImageHeader& header);
  void ReadNext();
  void OnProgress(const ImageProgress& progress);
  void OnLoaded(const Result<std::vector<std::string>>& names);
  void End(const grpc::Status& status);
  void WriteNextLocked();

  Loop& loop_;
  ImageStore& store_;
  std::shared_ptr<LoadCall> self_;  // until OnDone
  std::unique_ptr<ArchiveLoader> loader_;  // made on the loop before the first read of data; destroyed on the loop
  v1::LoadImageRequest incoming_;

  std::mutex mutex_;
  // Guarded by mutex_.
  bool ended_ = false;
  bool finished_ = false;                          // Finish() was called
  bool writing_ = false;
  v1::LoadImageProgress outgoing_;                 // gRPC's while writing_
  std::optional<v1::LoadImageProgress> waiting_;   // the newest that could not be written yet
  grpc::Status status_;
};

}  // namespace updraft::node_agent

#include "node-agent/image/image_records.h"

#include <github.com/containerd/containerd/api/services/images/v1/images.grpc.pb.h>

namespace updraft::node_agent {

namespace images = containerd::services::images::v1;

namespace {

std::unique_ptr<images::Images::Stub> ImageStub(const ContainerdScope& scope) {
  return images::Images::NewStub(scope.client->channel());
}

ImageRecord FromProto(const images::Image& image) {
  const auto& created = image.created_at();
  return {.name = image.name(),
          .target = {.media_type = image.target().media_type(),
                     .digest = image.target().digest(),
                     .size = image.target().size()},
          .created_at_ns = created.seconds() * 1'000'000'000 + created.nanos(),
          .loaded = image.labels().count(kLoadedLabel) > 0};
}

images::Image ToProto(const ImageRecord& record) {
  images::Image image;
  image.set_name(record.name);
  image.mutable_target()->set_media_type(record.target.media_type);
  image.mutable_target()->set_digest(record.target.digest);
  image.mutable_target()->set_size(record.target.size);
  if (record.loaded) image.mutable_labels()->insert({kLoadedLabel, "true"});
  return image;
}

}  // namespace

Result<std::vector<ImageRecord>> ListImageRecords(const ContainerdScope& scope) {
  ContainerdCall call(scope);
  images::ListImagesResponse response;
  const grpc::Status status =
      ImageStub(scope)->List(call.context(), images::ListImagesRequest(), &response);
  if (!status.ok()) return ContainerdError("list images", status);
  std::vector<ImageRecord> records;
  for (const images::Image& image : response.images()) records.push_back(FromProto(image));
  return records;
}

Result<std::optional<ImageRecord>> FindImageRecord(const ContainerdScope& scope,
                                                   const std::string& name) {
  ContainerdCall call(scope);
  images::GetImageRequest request;
  images::GetImageResponse response;
  request.set_name(name);
  const grpc::Status status = ImageStub(scope)->Get(call.context(), request, &response);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return std::optional<ImageRecord>();
  if (!status.ok()) return ContainerdError("look for image " + name, status);
  return std::optional(FromProto(response.image()));
}

Status PutImageRecord(const ContainerdScope& scope, const ImageRecord& record) {
  const auto stub = ImageStub(scope);
  {
    ContainerdCall call(scope);
    images::CreateImageRequest request;
    images::CreateImageResponse response;
    *request.mutable_image() = ToProto(record);
    const grpc::Status status = stub->Create(call.context(), request, &response);
    if (status.ok()) return Ok();
    if (status.error_code() != grpc::StatusCode::ALREADY_EXISTS) {
      return ContainerdError("name image " + record.name, status);
    }
  }
  ContainerdCall call(scope);
  images::UpdateImageRequest request;
  images::UpdateImageResponse response;
  *request.mutable_image() = ToProto(record);
  const grpc::Status status = stub->Update(call.context(), request, &response);
  if (!status.ok()) return ContainerdError("name image " + record.name, status);
  return Ok();
}

Status DeleteImageRecord(const ContainerdScope& scope, const std::string& name) {
  ContainerdCall call(scope);
  images::DeleteImageRequest request;
  google::protobuf::Empty response;
  request.set_name(name);
  const grpc::Status status = ImageStub(scope)->Delete(call.context(), request, &response);
  if (status.ok() || status.error_code() == grpc::StatusCode::NOT_FOUND) return Ok();
  return ContainerdError("remove image " + name, status);
}

}  // namespace updraft::node_agent

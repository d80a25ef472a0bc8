// What the API answers when it does not do what was asked: Kubernetes' Status with its reasons,
// codes and words. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/api/json.h"
#include "core/api/kinds.h"
#include "core/api/managed_fields.h"
#include "core/api/validation.h"
#include "core/base/result.h"

namespace updraft::controller {

struct ApiError {
  int code = 500;
  std::string reason = "InternalError";
  std::string message = {};
  Json details = nullptr;           // null: none
  std::string continue_token = {};  // for a list that can be gone on with all the same
};

// Either a T or an ApiError; see Result.
template <typename T>
class [[nodiscard]] ApiResult {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor)
  ApiResult(T value) : rep_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  ApiResult(ApiError error) : rep_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return rep_.index() == 0; }
  const T& operator*() const& { return std::get<0>(rep_); }
  T& operator*() & { return std::get<0>(rep_); }
  T&& operator*() && { return std::get<0>(std::move(rep_)); }
  const T* operator->() const { return &std::get<0>(rep_); }
  T* operator->() { return &std::get<0>(rep_); }
  const ApiError& error() const { return std::get<1>(rep_); }

 private:
  std::variant<T, ApiError> rep_;
};

// A document of kind Status that says `error`.
Json ToStatus(const ApiError& error);
// The Status of something that succeeded: a deletion.
Json SuccessStatus(const api::Kind& kind, const std::string& name, const std::string& uid);

ApiError NotFound(const api::Kind& kind, const std::string& name);
ApiError NamespaceNotFound(const std::string& name);
ApiError NoSuchPath();  // 404 "the server could not find the requested resource"
ApiError AlreadyExists(const api::Kind& kind, const std::string& name);
ApiError Conflict(const api::Kind& kind, const std::string& name, const std::string& why = {});
ApiError BadRequest(const std::string& why);
ApiError Forbidden(const api::Kind& kind, const std::string& name, const std::string& why);
ApiError MethodNotAllowed(const std::string& why = {});
ApiError NotAcceptable(const std::string& why);
ApiError UnsupportedMediaType(const std::string& why);
ApiError TooLarge(const std::string& why);
ApiError Expired(const std::string& why);                  // 410: list again
ApiError TooLargeVersion(int64_t asked, int64_t current);  // 504: a version that is not there yet
ApiError Invalid(const api::Kind& kind, const std::string& name,
                 const std::vector<api::FieldProblem>& problems);
// The same of a request's options: "ListOptions", "PatchOptions".
ApiError InvalidOptions(const std::string& options, const std::string& reason,
                        const std::string& field, const std::string& message);
// Fields that a server-side apply would have taken from others.
ApiError ApplyConflict(const std::vector<api::FieldConflict>& conflicts);
// A refusal in the form of Knative's webhooks.
ApiError Denied(const std::string& webhook, const std::string& why);

// An error of the store's about an object.
ApiError FromStore(const Error& error, const api::Kind& kind, const std::string& name);

}  // namespace updraft::controller

// Expected failures are values; bugs abort (check.h). Code in this repository never throws.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace updraft {

// Numbered as google.rpc.Code, so that core/base/grpc_status.h converts with a cast.
enum class Code {
  kCancelled = 1,
  kInvalidArgument = 3,   // the caller's fault; do not retry
  kDeadlineExceeded = 4,  // may or may not have happened; retry if idempotent
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,  // a limit of ours was reached; retry later
  kFailedPrecondition = 9,
  kAborted = 10,     // a concurrent change won; read again and retry
  kOutOfRange = 11,  // asked for something older than what is kept
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,  // the peer is away; retry with backoff
  kUnauthenticated = 16,
};

struct Error {
  Code code = Code::kInternal;
  std::string message;  // for a person, never parsed by a program
};

// The same error with what was being done put before its text: "pull image: connection refused".
inline Error Context(std::string doing, Error error) {
  error.message = std::move(doing) + ": " + error.message;
  return error;
}

// Either a T or an Error. Shaped as C++23 std::expected<T, Error>, which will replace it.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result() = default;  // T{}
  Result(T value) : rep_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : rep_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return rep_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // REQUIRES: has_value(). The result must outlive the reference.
  const T& value() const& { return std::get<0>(rep_); }
  T& value() & { return std::get<0>(rep_); }
  T&& value() && { return std::get<0>(std::move(rep_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  // REQUIRES: !has_value().
  const Error& error() const& { return std::get<1>(rep_); }

 private:
  std::variant<T, Error> rep_;
};

// For functions that have nothing to return but can fail.
using Status = Result<std::monostate>;
inline Status Ok() { return std::monostate{}; }

}  // namespace updraft

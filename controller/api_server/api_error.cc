#include "controller/api_server/api_error.h"

namespace updraft::controller {
namespace {

Json About(const api::Kind& kind, const std::string& name) {
  Json details = Json::object();
  if (!name.empty()) details["name"] = name;
  if (!kind.group.empty()) details["group"] = kind.group;
  details["kind"] = kind.plural;
  return details;
}

std::string Named(const api::Kind& kind, const std::string& name) {
  return kind.QualifiedResource() + " \"" + name + "\"";
}

}  // namespace

Json ToStatus(const ApiError& error) {
  Json status = Json::object();
  status["kind"] = "Status";
  status["apiVersion"] = "v1";
  status["metadata"] = Json::object();
  if (!error.continue_token.empty()) status["metadata"]["continue"] = error.continue_token;
  status["status"] = "Failure";
  status["message"] = error.message;
  status["reason"] = error.reason;
  if (!error.details.is_null()) status["details"] = error.details;
  status["code"] = error.code;
  return status;
}

Json SuccessStatus(const api::Kind& kind, const std::string& name, const std::string& uid) {
  Json status = Json::object();
  status["kind"] = "Status";
  status["apiVersion"] = "v1";
  status["metadata"] = Json::object();
  status["status"] = "Success";
  Json details = About(kind, name);
  details["uid"] = uid;
  status["details"] = std::move(details);
  return status;
}

ApiError NotFound(const api::Kind& kind, const std::string& name) {
  return {404, "NotFound", Named(kind, name) + " not found", About(kind, name)};
}

ApiError NamespaceNotFound(const std::string& name) {
  Json details = Json::object();
  details["name"] = name;
  details["kind"] = "namespaces";
  return {404, "NotFound", "namespaces \"" + name + "\" not found", std::move(details)};
}

ApiError NoSuchPath() {
  return {404, "NotFound", "the server could not find the requested resource", Json::object()};
}

ApiError AlreadyExists(const api::Kind& kind, const std::string& name) {
  return {409, "AlreadyExists", Named(kind, name) + " already exists", About(kind, name)};
}

ApiError Conflict(const api::Kind& kind, const std::string& name, const std::string& why) {
  const std::string cause =
      why.empty() ? "the object has been modified; please apply your changes to the latest "
                    "version and try again"
                  : why;
  return {409, "Conflict", "Operation cannot be fulfilled on " + Named(kind, name) + ": " + cause,
          About(kind, name)};
}

ApiError BadRequest(const std::string& why) { return {400, "BadRequest", why, nullptr}; }

ApiError Forbidden(const api::Kind& kind, const std::string& name, const std::string& why) {
  return {403, "Forbidden", Named(kind, name) + " is forbidden: " + why, About(kind, name)};
}

ApiError MethodNotAllowed(const std::string& why) {
  const std::string message =
      why.empty() ? "the server does not allow this method on the requested resource" : why;
  return {405, "MethodNotAllowed", message, Json::object()};
}

ApiError NotAcceptable(const std::string& why) { return {406, "NotAcceptable", why, nullptr}; }

ApiError UnsupportedMediaType(const std::string& why) {
  return {415, "UnsupportedMediaType", why, nullptr};
}

ApiError TooLarge(const std::string& why) { return {413, "RequestEntityTooLarge", why, nullptr}; }

ApiError Expired(const std::string& why) { return {410, "Expired", why, nullptr}; }

ApiError TooLargeVersion(int64_t asked, int64_t current) {
  Json details = Json::object();
  details["retryAfterSeconds"] = 1;
  Json cause = Json::object();
  cause["reason"] = "ResourceVersionTooLarge";
  cause["message"] = "Too large resource version";
  details["causes"] = Json::array({std::move(cause)});
  return {504, "Timeout",
          "Timeout: Too large resource version: " + std::to_string(asked) +
              ", current: " + std::to_string(current),
          std::move(details)};
}

ApiError Invalid(const api::Kind& kind, const std::string& name,
                 const std::vector<api::FieldProblem>& problems) {
  Json details = Json::object();
  if (!name.empty()) details["name"] = name;
  if (!kind.group.empty()) details["group"] = kind.group;
  details["kind"] = kind.kind;
  Json causes = Json::array();
  std::string list;
  for (const api::FieldProblem& problem : problems) {
    Json cause = Json::object();
    cause["reason"] = problem.reason;
    cause["message"] = problem.message;
    cause["field"] = problem.field;
    causes.push_back(std::move(cause));
    list += (list.empty() ? "" : ", ") + problem.field + ": " + problem.message;
  }
  details["causes"] = std::move(causes);
  if (problems.size() > 1) list = "[" + list + "]";
  return {422, "Invalid", kind.QualifiedKind() + " \"" + name + "\" is invalid: " + list,
          std::move(details)};
}

ApiError InvalidOptions(const std::string& options, const std::string& reason,
                        const std::string& field, const std::string& message) {
  Json details = Json::object();
  details["group"] = "meta.k8s.io";
  details["kind"] = options;
  details["causes"] =
      Json::array({Json{{"reason", reason}, {"message", message}, {"field", field}}});
  return {422, "Invalid", options + ".meta.k8s.io \"\" is invalid: " + field + ": " + message,
          std::move(details)};
}

ApiError ApplyConflict(const std::vector<api::FieldConflict>& conflicts) {
  Json details = Json::object();
  details["causes"] = Json::array();
  std::string list;
  std::string manager;
  for (const api::FieldConflict& conflict : conflicts) {
    details["causes"].push_back(Json{{"reason", "FieldManagerConflict"},
                                     {"message", "conflict with " + conflict.manager},
                                     {"field", conflict.path}});
    if (manager != conflict.manager)
      list += (list.empty() ? "" : "\n") + ("conflicts with " + conflict.manager) + ":";
    manager = conflict.manager;
    list += "\n- " + conflict.path;
  }
  const std::string count = std::to_string(conflicts.size());
  const std::string message =
      conflicts.size() == 1
          ? "Apply failed with 1 conflict: conflict with " + manager + ": " + conflicts.front().path
          : "Apply failed with " + count + " conflicts: " + list;
  return {409, "Conflict", message, std::move(details)};
}

ApiError Denied(const std::string& webhook, const std::string& why) {
  return BadRequest("admission webhook \"" + webhook + "\" denied the request: " + why);
}

ApiError FromStore(const Error& error, const api::Kind& kind, const std::string& name) {
  switch (error.code) {
    case Code::kNotFound:
      return NotFound(kind, name);
    case Code::kAlreadyExists:
      return AlreadyExists(kind, name);
    case Code::kAborted:
      return Conflict(kind, name);
    case Code::kInvalidArgument:
    case Code::kResourceExhausted:
      return TooLarge(error.message);
    case Code::kUnavailable:
      return {503, "ServiceUnavailable", error.message, nullptr};
    default:
      return {500, "InternalError", error.message, nullptr};
  }
}

}  // namespace updraft::controller

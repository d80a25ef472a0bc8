#include "controller/api_server/request.h"

#include <charconv>

#include "core/http/message.h"

namespace updraft::controller {
namespace {

ApiResult<bool> ParseBool(const std::string& name, const std::string& value) {
  if (value.empty() || value == "true" || value == "1" || value == "True") return true;
  if (value == "false" || value == "0" || value == "False") return false;
  return BadRequest("invalid value \"" + value + "\" for the query parameter " + name +
                    ": must be true or false");
}

ApiResult<int64_t> ParseNumber(const std::string& name, const std::string& value) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < 0) {
    return BadRequest("invalid value \"" + value + "\" for the query parameter " + name +
                      ": must be a number of at least 0");
  }
  return number;
}

// Reads a query parameter into one field of RequestOptions.
class OptionReader {
 public:
  explicit OptionReader(RequestOptions& options) : options_(options) {}

  std::optional<ApiError> Read(const std::string& name, const std::string& value) {
    if (Text(name, value)) return std::nullopt;
    if (name == "watch") return Flag(name, value, options_.watch);
    if (name == "allowWatchBookmarks") return Flag(name, value, options_.allow_bookmarks);
    if (name == "follow") return Flag(name, value, options_.follow);
    if (name == "previous") return Flag(name, value, options_.previous);
    if (name == "timestamps") return Flag(name, value, options_.timestamps);
    if (name == "pretty") return Flag(name, value, options_.pretty);
    if (name == "timeoutSeconds") return Number(name, value, options_.timeout_seconds);
    if (name == "tailLines") return Number(name, value, options_.tail_lines);
    if (name == "sinceSeconds") return Number(name, value, options_.since_seconds);
    if (name == "limitBytes") return Number(name, value, options_.limit_bytes);
    if (name == "limit") return Number(name, value, options_.limit);
    if (name == "sendInitialEvents") return Flag(name, value, options_.send_initial_events);
    if (name == "force") return Flag(name, value, options_.force);
    if (name == "dryRun") {
      if (value != "All" && !value.empty())
        return BadRequest("Invalid value: \"" + value + "\" for dryRun: must be All");
      options_.dry_run = value == "All";
    }
    if (name == "fieldValidation") return Validation(value);
    return std::nullopt;
  }

 private:
  bool Text(const std::string& name, const std::string& value) {
    struct Named {
      std::string_view name;
      std::string RequestOptions::*field;
    };
    static constexpr Named kTexts[] = {
        {"labelSelector", &RequestOptions::label_selector},
        {"fieldSelector", &RequestOptions::field_selector},
        {"resourceVersion", &RequestOptions::resource_version},
        {"resourceVersionMatch", &RequestOptions::resource_version_match},
        {"continue", &RequestOptions::continue_token},
        {"fieldManager", &RequestOptions::field_manager},
        {"propagationPolicy", &RequestOptions::propagation_policy},
        {"includeObject", &RequestOptions::include_object},
        {"container", &RequestOptions::container},
        {"sinceTime", &RequestOptions::since_time}};
    for (const Named& text : kTexts) {
      if (text.name != name) continue;
      options_.*text.field = value;
      return true;
    }
    return false;
  }

  template <typename Target>
  static std::optional<ApiError> Flag(const std::string& name, const std::string& value,
                                      Target& target) {
    const ApiResult<bool> flag = ParseBool(name, value);
    if (!flag) return flag.error();
    target = *flag;
    return std::nullopt;
  }

  static std::optional<ApiError> Number(const std::string& name, const std::string& value,
                                        std::optional<int64_t>& target) {
    const ApiResult<int64_t> number = ParseNumber(name, value);
    if (!number) return number.error();
    target = *number;
    return std::nullopt;
  }

  std::optional<ApiError> Validation(const std::string& value) {
    if (value == "Strict") {
      options_.field_validation = FieldValidation::kStrict;
    } else if (value == "Ignore") {
      options_.field_validation = FieldValidation::kIgnore;
    } else if (value != "Warn" && !value.empty()) {
      return BadRequest("Unsupported value: \"" + value +
                        "\" for fieldValidation: supported values: Ignore, Warn, Strict");
    }
    return std::nullopt;
  }

  RequestOptions& options_;
};

// The kind that a path names, and what of the path is left for the object.
struct Located {
  const api::Kind* kind = nullptr;
  std::string ns = {};
  std::string name = {};
  std::string subresource = {};
};

std::optional<Located> Locate(const std::vector<std::string>& parts) {
  size_t at = 0;
  std::string group;
  std::string version;
  if (parts.size() >= 3 && parts[0] == "api") {
    version = parts[1];
    at = 2;
  } else if (parts.size() >= 4 && parts[0] == "apis") {
    group = parts[1];
    version = parts[2];
    at = 3;
  } else {
    return std::nullopt;
  }
  Located located;
  // /namespaces/NS/RESOURCE..., but /namespaces[/NS[/status]] is about namespaces themselves.
  const size_t left = parts.size() - at;
  const bool inside = parts[at] == "namespaces" && left >= 3 &&
                      !(group.empty() && parts[at + 2] == "status" && left == 3);
  if (inside) {
    located.ns = parts[at + 1];
    at += 2;
  }
  located.kind = api::FindResource(group, version, parts[at]);
  if (located.kind == nullptr || parts.size() > at + 3) return std::nullopt;
  if (inside != (located.kind->namespaced && inside)) return std::nullopt;
  if (parts.size() > at + 1) located.name = parts[at + 1];
  if (parts.size() > at + 2) located.subresource = parts[at + 2];
  // One object of a namespaced kind is always asked for within its namespace.
  if (located.kind->namespaced && located.ns.empty() && !located.name.empty()) return std::nullopt;
  return located;
}

// Those that are no object's part: the connection that asks for them becomes a stream.
bool IsConnection(std::string_view subresource) {
  return subresource == "exec" || subresource == "attach" || subresource == "portforward";
}

std::optional<Verb> VerbOf(std::string_view method, bool one, bool watch) {
  if (method == "GET" || method == "HEAD")
    return one ? Verb::kGet : watch ? Verb::kWatch : Verb::kList;
  if (method == "POST" && !one) return Verb::kCreate;
  if (method == "PUT" && one) return Verb::kUpdate;
  if (method == "PATCH" && one) return Verb::kPatch;
  if (method == "DELETE") return one ? Verb::kDelete : Verb::kDeleteCollection;
  return std::nullopt;
}

}  // namespace

std::string_view VerbName(Verb verb) {
  static constexpr std::string_view kNames[] = {
      "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "connect"};
  return kNames[static_cast<size_t>(verb)];
}

ApiResult<RequestOptions> ParseOptions(std::string_view query) {
  RequestOptions options;
  OptionReader reader(options);
  for (const auto& [name, value] : http::ParseQuery(query)) {
    if (std::optional<ApiError> error = reader.Read(name, value)) return *std::move(error);
  }
  if (options.field_manager.size() > kManagerBytesMax) {
    return InvalidOptions("PatchOptions", "FieldValueTooLong", "fieldManager",
                          "Too long: may not be more than 128 bytes");
  }
  return options;
}

bool IsResourcePath(std::string_view path) {
  const auto parts = SplitPath(path);
  if (!parts || parts->empty()) return false;
  return ((*parts)[0] == "api" && parts->size() >= 3) ||
         ((*parts)[0] == "apis" && parts->size() >= 4);
}

ApiResult<ResourceRequest> ParseResourceRequest(std::string_view method, std::string_view path,
                                                bool watch) {
  const auto parts = SplitPath(path);
  if (!parts) return BadRequest("the path cannot be decoded");
  std::optional<Located> located = Locate(*parts);
  if (!located) return NoSuchPath();
  const api::Kind& kind = *located->kind;
  const std::string& sub = located->subresource;
  if (IsConnection(sub) && kind.kind == "Pod") {
    if (method != "GET" && method != "POST") return MethodNotAllowed();
    return ResourceRequest{.verb = Verb::kConnect,
                           .kind = &kind,
                           .ns = std::move(located->ns),
                           .name = std::move(located->name),
                           .subresource = sub};
  }
  const bool evicts = sub == kEviction && kind.kind == "Pod" && !located->name.empty();
  const bool known = evicts || sub.empty() || (sub == "status" && kind.has_status) ||
                     (sub == "log" && kind.kind == "Pod");
  if (!known) return NoSuchPath();
  const std::optional<Verb> verb = VerbOf(method, !located->name.empty() && !evicts, watch);
  if (!verb || (evicts && *verb != Verb::kCreate)) return MethodNotAllowed();
  const bool reads = *verb == Verb::kGet;
  const bool of_status = reads || *verb == Verb::kUpdate || *verb == Verb::kPatch;
  if ((sub == "status" && !of_status) || (sub == "log" && !reads)) return MethodNotAllowed();
  if (!evicts && !kind.Allows(VerbName(*verb))) {
    return MethodNotAllowed(std::string(VerbName(*verb)) +
                            " is not supported on resources of kind \"" + kind.plural +
                            "\": the platform itself makes and removes them");
  }
  if (*verb == Verb::kCreate && kind.namespaced && located->ns.empty()) {
    return MethodNotAllowed("a namespace must be given to create " + kind.plural);
  }
  return ResourceRequest{.verb = *verb,
                         .kind = &kind,
                         .ns = std::move(located->ns),
                         .name = std::move(located->name),
                         .subresource = sub};
}

std::optional<std::vector<std::string>> SplitPath(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    if (path.front() == '/') {
      path.remove_prefix(1);
      continue;
    }
    const size_t slash = path.find('/');
    Result<std::string> part = http::PercentDecode(path.substr(0, slash));
    if (!part) return std::nullopt;
    parts.push_back(*std::move(part));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash);
  }
  return parts;
}

}  // namespace updraft::controller

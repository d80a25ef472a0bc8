#include "controller/instances/downward.h"

#include <algorithm>

#include "core/api/access.h"
#include "core/api/base64.h"
#include "core/api/quantity.h"
#include "proto/updraft/v1/node_marks.h"

namespace updraft::controller {
namespace {

using StringMap = google::protobuf::Map<std::string, std::string>;

constexpr char kIssuer[] = "https://kubernetes.default.svc.cluster.local";

// As Go's %q prints it.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\n') {
      quoted += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string LinesOf(const StringMap& map) {
  const std::map<std::string, std::string> sorted(map.begin(), map.end());
  std::string lines;
  for (const auto& [key, value] : sorted)
    lines += (lines.empty() ? "" : "\n") + key + "=" + Quoted(value);
  return lines;
}

std::string EntryOf(const StringMap& map, std::string_view key) {
  const auto found = map.find(std::string(key));
  return found == map.end() ? "" : found->second;
}

// The key of "metadata.labels['key']"; empty: not of that form.
std::string_view KeyIn(std::string_view path, std::string_view map) {
  if (!path.starts_with(map)) return {};
  path.remove_prefix(map.size());
  if (!path.starts_with("['") || !path.ends_with("']") || path.size() < 5) return {};
  return path.substr(2, path.size() - 4);
}

std::string ServiceAccountOf(const Json& pod_spec) {
  return api::StringAt(pod_spec, {"serviceAccountName"}, "default");
}

std::string UrlBase64(std::string_view bytes) {
  std::string text = api::EncodeBase64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(std::min(text.find('='), text.size()));
  return text;
}

const Json* NamedContainer(const Json& containers, std::string_view name) {
  const auto found = std::ranges::find_if(containers, [name](const Json& container) {
    return api::StringAt(container, {"name"}) == name;
  });
  return found == containers.end() ? nullptr : &*found;
}

void Replace(std::string_view mark, std::string_view by, std::string& text) {
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size()))
    text.replace(at, mark.size(), by);
}

// Whatever a user may have had a value put into.
template <typename Use>
void EachText(v1::InstanceSpec& spec, const Use& use) {
  for (auto* containers : {spec.mutable_containers(), spec.mutable_init_containers()}) {
    for (v1::Container& container : *containers) {
      for (v1::EnvVar& variable : *container.mutable_env()) use(*variable.mutable_value());
      for (std::string& word : *container.mutable_command()) use(word);
      for (std::string& word : *container.mutable_args()) use(word);
    }
  }
  for (v1::VolumeFile& file : *spec.mutable_files()) use(*file.mutable_content());
}

bool HasAny(const v1::InstanceSpec& spec, std::initializer_list<std::string_view> marks) {
  bool found = false;
  v1::InstanceSpec copy = spec;
  EachText(copy, [&found, marks](const std::string& text) {
    for (const std::string_view mark : marks) found = found || text.find(mark) != std::string::npos;
  });
  return found;
}

}  // namespace

std::string_view NodeField(std::string_view path) {
  if (path == "spec.nodeName") return v1::kNodeNameMark;
  if (path == "status.hostIP" || path == "status.hostIPs") return v1::kHostIpMark;
  if (path == "status.podIP" || path == "status.podIPs") return v1::kPodIpMark;
  return {};
}

Result<std::string> PodField(std::string_view path, const v1::InstanceSpec& pod,
                             const Json& pod_spec) {
  if (path == "metadata.name") return std::string(kNameMark);
  if (path == "metadata.uid") return std::string(kUidMark);
  if (path == "metadata.namespace") return pod.namespace_();
  if (path == "metadata.labels") return LinesOf(pod.labels());
  if (path == "metadata.annotations") return LinesOf(pod.annotations());
  if (path == "spec.serviceAccountName") return ServiceAccountOf(pod_spec);
  if (const auto key = KeyIn(path, "metadata.labels"); !key.empty())
    return EntryOf(pod.labels(), key);
  if (const auto key = KeyIn(path, "metadata.annotations"); !key.empty())
    return EntryOf(pod.annotations(), key);
  return Error{Code::kFailedPrecondition, "unsupported fieldPath: " + std::string(path)};
}

Result<std::string> ResourceField(const Json& reference, const Json& containers,
                                  std::string_view own_container) {
  const std::string name = api::StringAt(reference, {"containerName"}, own_container);
  const std::string resource = api::StringAt(reference, {"resource"});
  const size_t dot = resource.find('.');
  const Json* container = NamedContainer(containers, name);
  const Error missing{Code::kFailedPrecondition,
                      "container \"" + name + "\" has no resource " + resource};
  if (container == nullptr || dot == std::string::npos) return missing;
  const std::string kind = resource.substr(dot + 1);
  const Json* amount = api::Find(*container, {"resources", resource.substr(0, dot), kind});
  if (amount == nullptr) amount = api::Find(*container, {"resources", "limits", kind});
  if (amount == nullptr) amount = api::Find(*container, {"resources", "requests", kind});
  if (amount == nullptr) return missing;
  const auto quantity = api::Quantity::FromJson(*amount);
  const Json* by = api::Find(reference, {"divisor"});
  const auto divisor = by == nullptr ? api::Quantity::Parse("1") : api::Quantity::FromJson(*by);
  if (!quantity || !divisor) return missing;
  // "0" stands for one, as in Kubernetes.
  const int64_t parts = kind == "cpu" ? quantity->MilliValue() : quantity->Value();
  const int64_t unit =
      std::max<int64_t>(kind == "cpu" ? divisor->MilliValue() : divisor->Value(), 0);
  const int64_t whole = unit == 0 ? (kind == "cpu" ? 1000 : 1) : unit;
  return std::to_string(parts / whole + (parts % whole != 0 ? 1 : 0));
}

std::string ServiceAccountToken(const Json& projection, const v1::InstanceSpec& pod,
                                const Json& pod_spec) {
  const std::string account = ServiceAccountOf(pod_spec);
  const Json header = {{"alg", "none"}, {"typ", "JWT"}};
  const Json claims = {
      {"iss", kIssuer},
      {"sub", "system:serviceaccount:" + pod.namespace_() + ":" + account},
      {"aud", Json::array({api::StringAt(projection, {"audience"}, kIssuer)})},
      {"kubernetes.io",
       {{"namespace", pod.namespace_()}, {"serviceaccount", {{"name", account}}}}}};
  return UrlBase64(api::ToText(header)) + "." + UrlBase64(api::ToText(claims)) + ".";
}

void FillMarks(std::string_view uid, v1::InstanceSpec& spec) {
  EachText(spec, [&spec, uid](std::string& text) {
    Replace(kNameMark, spec.instance_id(), text);
    Replace(kUidMark, uid, text);
  });
}

bool HasMarks(const v1::InstanceSpec& spec) { return HasAny(spec, {kNameMark, kUidMark}); }

bool HasNodeMarks(const v1::InstanceSpec& spec) {
  return HasAny(spec, {v1::kNodeNameMark, v1::kHostIpMark, v1::kPodIpMark});
}

}  // namespace updraft::controller

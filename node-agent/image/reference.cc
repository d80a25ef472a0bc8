#include "node-agent/image/reference.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "node-agent/image/digest.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kNameBytesMax = 255;
constexpr size_t kTagBytesMax = 128;
constexpr std::string_view kDefaultRegistry = "docker.io";

bool IsLowerAlnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsAlnum(char c) { return IsLowerAlnum(c) || (c >= 'A' && c <= 'Z'); }

Error Invalid(std::string_view text, const std::string& why) {
  return {Code::kInvalidArgument, "invalid image reference \"" + std::string(text) + "\": " + why};
}

// The first path element is a host if it cannot be a repository's: it has a dot or port, or is
// known.
bool LooksLikeHost(std::string_view element) {
  return element == "localhost" || element.find_first_of(".:") != std::string_view::npos ||
         std::ranges::any_of(element, [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool IsHost(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view rest = text.substr(end + 1);
    return rest.empty() || (rest.starts_with(':') && IsPort(rest.substr(1)));
  }
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && !IsPort(text.substr(colon + 1))) return false;
  const std::string_view name = text.substr(0, colon);
  if (name.empty() || !IsAlnum(name.front()) || !IsAlnum(name.back())) return false;
  return std::ranges::all_of(name, [](char c) { return IsAlnum(c) || c == '.' || c == '-'; });
}

// [a-z0-9]+ joined by one dot, one or two underscores, or any number of hyphens.
bool IsPathElement(std::string_view text) {
  if (text.empty() || !IsLowerAlnum(text.front()) || !IsLowerAlnum(text.back())) return false;
  for (size_t i = 0; i < text.size();) {
    if (IsLowerAlnum(text[i])) {
      ++i;
      continue;
    }
    const size_t end = text.find_first_not_of("._-", i);
    const std::string_view joint = text.substr(i, end - i);
    const bool hyphens = joint.find_first_not_of('-') == std::string_view::npos;
    if (joint.empty()) return false;  // no joint at all
    if (joint != "." && joint != "_" && joint != "__" && !hyphens) return false;
    i = end;
  }
  return true;
}

bool IsTag(std::string_view text) {
  if (text.empty() || text.size() > kTagBytesMax) return false;
  if (text.front() == '.' || text.front() == '-') return false;
  return std::ranges::all_of(text,
                             [](char c) { return IsAlnum(c) || c == '_' || c == '.' || c == '-'; });
}

Status CheckRepository(std::string_view text, std::string_view repository) {
  if (std::ranges::any_of(repository, [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return Invalid(text, "the repository name must be lower case");
  }
  size_t begin = 0;
  while (begin <= repository.size()) {
    const size_t end = std::min(repository.find('/', begin), repository.size());
    if (!IsPathElement(repository.substr(begin, end - begin))) {
      return Invalid(text, "\"" + std::string(repository) + "\" is not a repository name");
    }
    begin = end + 1;
  }
  return Ok();
}

}  // namespace

Result<ImageReference> ParseReference(std::string_view text) {
  ImageReference reference;
  std::string_view rest = text;
  if (rest.empty()) return Invalid(text, "it is empty");
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    reference.digest = std::string(rest.substr(at + 1));
    if (!IsDigest(reference.digest)) {
      return Invalid(text, "\"" + reference.digest + "\" is not a sha256 digest");
    }
    rest = rest.substr(0, at);
  }
  const size_t last_slash = rest.rfind('/');
  const size_t colon = rest.find(':', last_slash == std::string_view::npos ? 0 : last_slash);
  if (colon != std::string_view::npos) {
    reference.tag = std::string(rest.substr(colon + 1));
    if (!IsTag(reference.tag)) return Invalid(text, "\"" + reference.tag + "\" is not a tag");
    rest = rest.substr(0, colon);
  } else if (reference.digest.empty()) {
    reference.tag = "latest";
  }

  reference.registry = kDefaultRegistry;
  const size_t slash = rest.find('/');
  if (slash != std::string_view::npos && LooksLikeHost(rest.substr(0, slash))) {
    const std::string_view host = rest.substr(0, slash);
    if (!IsHost(host)) return Invalid(text, "\"" + std::string(host) + "\" is not a host");
    if (host != "index.docker.io") reference.registry = std::string(host);
    rest = rest.substr(slash + 1);
  }
  reference.repository = std::string(rest);
  if (reference.registry == kDefaultRegistry && rest.find('/') == std::string_view::npos) {
    reference.repository = "library/" + reference.repository;
  }
  if (auto valid = CheckRepository(text, rest); !valid) return valid.error();
  if (reference.RepositoryName().size() > kNameBytesMax) {
    return Invalid(text, "the name is longer than " + std::to_string(kNameBytesMax) + " bytes");
  }
  return reference;
}

bool IsLoadedOnlyRegistry(std::string_view registry) {
  constexpr std::array<std::string_view, 3> kLoadedOnly = {"kind.local", "ko.local", "dev.local"};
  return std::ranges::find(kLoadedOnly, registry) != kLoadedOnly.end();
}

bool IsLoopbackRegistry(std::string_view registry) {
  if (registry.starts_with("[::1]")) return true;
  const std::string_view host = registry.substr(0, registry.find(':'));
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  return host.starts_with("127.") &&
         std::ranges::all_of(host, [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

}  // namespace updraft::node_agent

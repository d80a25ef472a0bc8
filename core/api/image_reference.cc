#include "core/api/image_reference.h"

#include <optional>

namespace updraft::api {
namespace {

constexpr std::string_view kDefaultRegistry = "index.docker.io";
constexpr std::string_view kDigestPrefix = "sha256:";
constexpr size_t kSha256HexLength = 64;

bool ConsistsOf(std::string_view text, std::string_view extra, bool upper, size_t least,
                size_t most) {
  if (text.size() < least || text.size() > most) return false;
  for (char c : text) {
    const bool alnum =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (upper && c >= 'A' && c <= 'Z');
    if (!alnum && extra.find(c) == std::string_view::npos) return false;
  }
  return true;
}

// host[:port] of a URI.
bool IsAuthority(std::string_view text) {
  const size_t bracket = text.rfind(']');
  const size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos && !ConsistsOf(text.substr(colon + 1), "", false, 0, 5))
    return false;
  if (colon != std::string_view::npos &&
      text.find_first_not_of("0123456789", colon + 1) != std::string_view::npos) {
    return false;
  }
  return ConsistsOf(text.substr(0, colon), "-._~[]:%", true, 0, 255);
}

bool ParseRepository(std::string_view text, ImageReference& reference) {
  const size_t slash = text.find('/');
  const std::string_view first = text.substr(0, slash);
  // The first part is a registry only if it looks like a host.
  if (slash != std::string_view::npos && first.find_first_of(".:") != std::string_view::npos) {
    reference.registry = first;
    reference.repository = text.substr(slash + 1);
  } else {
    reference.repository = text;
  }
  if (!ConsistsOf(reference.repository, "_-./", false, 2, 255)) return false;
  if (!IsAuthority(reference.registry)) return false;
  if (reference.registry.empty() || reference.registry == "docker.io")
    reference.registry = kDefaultRegistry;
  if (reference.registry == kDefaultRegistry &&
      reference.repository.find('/') == std::string::npos) {
    reference.repository = "library/" + reference.repository;
  }
  return true;
}

bool ParseTagged(std::string_view text, ImageReference& reference) {
  const size_t colon = text.rfind(':');
  // A colon before a slash belongs to a port.
  if (colon != std::string_view::npos && text.find('/', colon) == std::string_view::npos) {
    reference.tag = text.substr(colon + 1);
    text = text.substr(0, colon);
    if (!reference.tag.empty() && !ConsistsOf(reference.tag, "_-.", true, 1, 128)) return false;
  }
  return ParseRepository(text, reference);
}

bool IsDigest(std::string_view text) {
  if (!text.starts_with(kDigestPrefix)) return false;
  text.remove_prefix(kDigestPrefix.size());
  return text.size() == kSha256HexLength &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<ImageReference> Parse(std::string_view text) {
  ImageReference reference;
  const size_t at = text.find('@');
  if (at != std::string_view::npos) {
    reference.digest = text.substr(at + 1);
    if (!IsDigest(reference.digest)) return std::nullopt;
  }
  if (!ParseTagged(text.substr(0, at), reference)) return std::nullopt;
  if (reference.tag.empty() && reference.digest.empty()) reference.tag = "latest";
  return reference;
}

}  // namespace

std::string ImageReference::Full() const {
  return digest.empty() ? Context() + ":" + tag : Context() + "@" + digest;
}

Result<ImageReference> ParseImageReference(std::string_view text) {
  std::optional<ImageReference> reference = Parse(text);
  if (!reference)
    return Error{Code::kInvalidArgument, "could not parse reference: " + std::string(text)};
  return *std::move(reference);
}

}  // namespace updraft::api

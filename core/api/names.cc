#include "core/api/names.h"

#include <openssl/evp.h>

#include <array>
#include <cstdio>

#include "core/api/ascii.h"

namespace updraft::api {
namespace {

constexpr size_t kNameLengthMax = 63;
constexpr size_t kSubdomainLengthMax = 253;
constexpr size_t kMd5HexLength = 32;

constexpr std::string_view kDns1123LabelFormat = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
constexpr std::string_view kLabelKeyFormat = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
constexpr std::string_view kLabelKeyComplaint =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character";

template <typename Inner>
bool AllOf(std::string_view text, Inner inner) {
  for (char c : text) {
    if (!inner(c)) return false;
  }
  return true;
}

bool IsDns1123Label(std::string_view value) {
  return !value.empty() && IsLowerAlnum(value.front()) && IsLowerAlnum(value.back()) &&
         AllOf(value, [](char c) { return IsLowerAlnum(c) || c == '-'; });
}

bool IsDns1123Subdomain(std::string_view value) {
  while (true) {
    const size_t dot = value.find('.');
    if (!IsDns1123Label(value.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    value.remove_prefix(dot + 1);
  }
}

bool IsDns1035Label(std::string_view value) {
  return IsDns1123Label(value) && IsLower(value.front());
}

bool IsLabelText(std::string_view value) {
  return !value.empty() && IsAlnum(value.front()) && IsAlnum(value.back()) &&
         AllOf(value, [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; });
}

std::string TooLongText(size_t most, const char* unit = "characters") {
  return "must be no more than " + std::to_string(most) + " " + unit;
}

std::string Explain(std::string_view complaint, std::string_view format,
                    std::initializer_list<std::string_view> examples) {
  std::string text(complaint);
  text += " (e.g. ";
  bool first = true;
  for (std::string_view example : examples) {
    if (!first) text += " or ";
    first = false;
    text += "'" + std::string(example) + "', ";
  }
  return text + "regex used for validation is '" + std::string(format) + "')";
}

std::string SubdomainFormat() {
  const std::string label(kDns1123LabelFormat);
  return label + "(\\." + label + ")*";
}

// A generateName may end in what a whole name may not: a dash is put aside before the check.
std::string MaskTrailingDash(std::string_view prefix) {
  std::string name(prefix);
  if (name.size() > 1 && name.back() == '-') name.back() = 'a';
  return name;
}

std::string Md5Hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_md5(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) {
    char byte[3];
    std::snprintf(byte, sizeof byte, "%02x", digest[i]);
    hex += byte;
  }
  return hex;
}

}  // namespace

Complaints CheckDns1035Label(std::string_view value) {
  Complaints complaints;
  if (value.size() > kNameLengthMax) complaints.push_back(TooLongText(kNameLengthMax));
  if (!IsDns1035Label(value)) {
    complaints.push_back(
        Explain("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start "
                "with an alphabetic character, and end with an alphanumeric character",
                "[a-z]([-a-z0-9]*[a-z0-9])?", {"my-name", "abc-123"}));
  }
  return complaints;
}

Complaints CheckDns1123Label(std::string_view value) {
  Complaints complaints;
  if (value.size() > kNameLengthMax) complaints.push_back(TooLongText(kNameLengthMax));
  if (!IsDns1123Label(value)) {
    if (IsDns1123Subdomain(value)) {
      complaints.emplace_back("must not contain dots");
    } else {
      complaints.push_back(Explain(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or "
          "'-', and must start and end with an alphanumeric character",
          kDns1123LabelFormat, {"my-name", "123-abc"}));
    }
  }
  return complaints;
}

namespace {

// In newer places Kubernetes counts bytes, and says so.
Complaints CheckSubdomain(std::string_view value, const char* unit) {
  Complaints complaints;
  if (value.size() > kSubdomainLengthMax)
    complaints.push_back(TooLongText(kSubdomainLengthMax, unit));
  if (!IsDns1123Subdomain(value)) {
    complaints.push_back(Explain(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
        "'-' or '.', and must start and end with an alphanumeric character",
        SubdomainFormat(), {"example.com"}));
  }
  return complaints;
}

}  // namespace

Complaints CheckDns1123Subdomain(std::string_view value) {
  return CheckSubdomain(value, "characters");
}

Complaints CheckQualifiedName(std::string_view value) {
  Complaints complaints;
  std::string_view name = value;
  const size_t slash = value.find('/');
  if (slash != std::string_view::npos) {
    if (value.find('/', slash + 1) != std::string_view::npos) {
      return {"a valid label key " +
              Explain(kLabelKeyComplaint, kLabelKeyFormat, {"MyName", "my.name", "123-abc"}) +
              " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"};
    }
    name = value.substr(slash + 1);
    const std::string_view prefix = value.substr(0, slash);
    if (prefix.empty()) {
      complaints.emplace_back("prefix part must be non-empty");
    } else {
      for (const std::string& c : CheckSubdomain(prefix, "bytes"))
        complaints.push_back("prefix part " + c);
    }
  }
  if (name.empty()) {
    complaints.emplace_back("name part must be non-empty");
  } else if (name.size() > kNameLengthMax) {
    complaints.push_back("name part " + TooLongText(kNameLengthMax, "bytes"));
  }
  if (!IsLabelText(name)) {
    complaints.push_back("name part " + Explain(kLabelKeyComplaint, kLabelKeyFormat,
                                                {"MyName", "my.name", "123-abc"}));
  }
  return complaints;
}

Complaints CheckLabelValue(std::string_view value) {
  Complaints complaints;
  if (value.size() > kNameLengthMax) complaints.push_back(TooLongText(kNameLengthMax, "bytes"));
  if (!value.empty() && !IsLabelText(value)) {
    complaints.push_back(
        Explain("a valid label must be an empty string or consist of alphanumeric characters, '-', "
                "'_' or '.', and must start and end with an alphanumeric character",
                "(" + std::string(kLabelKeyFormat) + ")?", {"MyValue", "my_value", "12345"}));
  }
  return complaints;
}

Complaints CheckConfigMapKey(std::string_view value) {
  Complaints complaints;
  if (value.size() > kSubdomainLengthMax) complaints.push_back(TooLongText(kSubdomainLengthMax));
  const auto allowed = [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; };
  if (value.empty() || !AllOf(value, allowed)) {
    complaints.push_back(
        Explain("a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                "[-._a-zA-Z0-9]+", {"key.name", "KEY_NAME", "key-name"}));
  }
  if (value == ".") complaints.emplace_back("must not be '.'");
  if (value == "..") {
    complaints.emplace_back("must not be '..'");
  } else if (value.starts_with("..")) {
    complaints.emplace_back("must not start with '..'");
  }
  return complaints;
}

Complaints CheckDns1035Prefix(std::string_view value) {
  return CheckDns1035Label(MaskTrailingDash(value));
}

Complaints CheckDns1123SubdomainPrefix(std::string_view value) {
  return CheckDns1123Subdomain(MaskTrailingDash(value));
}

std::string ToGoList(const Complaints& complaints) {
  std::string text = "[";
  for (size_t i = 0; i < complaints.size(); ++i) text += (i == 0 ? "" : " ") + complaints[i];
  return text + "]";
}

std::string ChildName(std::string_view parent, std::string_view suffix) {
  constexpr size_t kHead = kNameLengthMax - kMd5HexLength;
  std::string whole = std::string(parent) + std::string(suffix);
  if (whole.size() <= kNameLengthMax) return whole;
  if (suffix.size() < kHead) {
    return std::string(parent.substr(0, kHead - suffix.size())) + Md5Hex(parent) +
           std::string(suffix);
  }
  // The suffix alone leaves no room: the whole is hashed.
  std::string name = std::string(parent.substr(0, kHead)) + Md5Hex(whole);
  if (name.size() < kNameLengthMax) name += suffix.substr(0, kNameLengthMax - name.size());
  while (!IsAlnum(name.back())) name.pop_back();
  return name;
}

std::string GenerateName(std::string_view prefix, uint64_t random) {
  // No vowels and no 0, 1, 3: no words by chance. Kubernetes' own alphabet.
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  constexpr size_t kSuffixLength = 5;
  std::string name(prefix.substr(0, kNameLengthMax - kSuffixLength));
  for (size_t i = 0; i < kSuffixLength; ++i) {
    name += kAlphabet[random % kAlphabet.size()];
    random /= kAlphabet.size();
  }
  return name;
}

std::string MakeUid(uint64_t high, uint64_t low) {
  high = (high & ~uint64_t{0xf000}) | 0x4000;
  low = (low & ~(uint64_t{3} << 62)) | (uint64_t{2} << 62);
  char text[40];
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>((high >> 16) & 0xffff), static_cast<unsigned>(high & 0xffff),
                static_cast<unsigned>(low >> 48),
                static_cast<unsigned long long>(low & 0xffff'ffff'ffffULL));
  return text;
}

}  // namespace updraft::api

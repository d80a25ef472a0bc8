#include "controller/instances/instance_name.h"

#include "core/api/names.h"

namespace updraft::controller {
namespace {

constexpr size_t kSuffixLength = 10;
// Kubernetes' own: no vowels, so that no words come out; no characters that look like others.
constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";

uint64_t Hash(std::string_view text, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325U ^ seed;  // FNV-1a, then mixed as splitmix64 does
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebU;
  return hash ^ (hash >> 31);
}

}  // namespace

std::string NewInstanceName(std::string_view revision, const RandomSource& random) {
  std::string suffix = "-deployment-";
  uint64_t bits = random();  // ten digits in base 27 are under 48 bits
  for (size_t i = 0; i < kSuffixLength; ++i) {
    suffix += kAlphabet[bits % kAlphabet.size()];
    bits /= kAlphabet.size();
  }
  return api::ChildName(revision, suffix);
}

std::string StableUid(std::string_view text) { return api::MakeUid(Hash(text, 1), Hash(text, 2)); }

std::string PodUid(std::string_view instance) { return StableUid("pod " + std::string(instance)); }

}  // namespace updraft::controller

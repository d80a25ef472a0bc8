#include "controller/instances/instance_name.h"

#include "core/api/names.h"

namespace updraft::controller {
namespace {

constexpr size_t kSuffixLength = 10;
// Kubernetes' own: no vowels, so that no words come out; no characters that look like others.
constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";

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

}  // namespace updraft::controller

#include "core/http/scratch.h"

#include <array>

namespace updraft::http {
namespace {

struct Scratch {
  std::array<char, kScratchBytes> bytes;
  ScratchHolder* holder = nullptr;
};

thread_local Scratch scratch;

}  // namespace

ScratchHolder::~ScratchHolder() {
  if (scratch.holder == this) scratch.holder = nullptr;
}

std::span<char> TakeScratch(ScratchHolder* holder) {
  if (scratch.holder != nullptr && scratch.holder != holder) scratch.holder->VacateScratch();
  scratch.holder = holder;
  return scratch.bytes;
}

}  // namespace updraft::http

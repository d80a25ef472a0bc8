#include "core/http/scratch.h"

#include <array>

namespace updraft::http {
namespace {

struct Scratch {
  std::array<char, kScratchBytes> bytes;
  ScratchHolder* holder = nullptr;
};

thread_local Scratch of_thread;

}  // namespace

ScratchHolder::~ScratchHolder() {
  if (of_thread.holder == this) of_thread.holder = nullptr;
}

std::span<char> TakeScratch(ScratchHolder* holder) {
  if (of_thread.holder != nullptr && of_thread.holder != holder) of_thread.holder->VacateScratch();
  of_thread.holder = holder;
  return of_thread.bytes;
}

}  // namespace updraft::http

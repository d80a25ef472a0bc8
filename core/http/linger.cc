#include "core/http/linger.h"

#include <algorithm>

namespace updraft::http {
namespace {

constexpr size_t kBytesMax = 1 << 20;

}  // namespace

Task<void> Linger(Input& input, Nanos patience) {
  Stream& stream = input.stream();
  if (stream.broken()) co_return;
  stream.FinishWriting();
  const TimePoint deadline = stream.loop().Now() + patience;
  for (size_t left = kBytesMax; left > 0;) {
    left -= std::min(left, input.Take(kBytesMax).size());
    const WaitEnd wait = co_await stream.Readable(deadline);
    if (wait != WaitEnd::kReady) co_return;
    const IoState state = input.Fill(left);
    if (state == IoState::kEnd || state == IoState::kBroken) co_return;
  }
}

}  // namespace updraft::http

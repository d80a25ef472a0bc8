// Names a process so that another one on the same machine can tell whether it is gone.
#pragma once

#include <string>
#include <string_view>

namespace updraft::lease {

// Of this process: boot, PID namespace, PID and start time. Empty: /proc does not say.
std::string OwnProcessMark();

// Whether the process was of this machine's boot and of this process's PID namespace, and is there
// no more. False whenever that is not certain.
bool IsGone(std::string_view mark);

}  // namespace updraft::lease

// What each verb does. Loop thread only. Calls outlive the tasks.
#pragma once

#include "controller/api_server/call.h"
#include "core/http/task.h"

namespace updraft::controller {

http::Task<ApiResult<Answer>> Get(Call* call);
http::Task<ApiResult<Answer>> List(Call* call);
http::Task<ApiResult<Answer>> Create(Call* call);
http::Task<ApiResult<Answer>> Update(Call* call);  // PUT
http::Task<ApiResult<Answer>> Patch(Call* call);
http::Task<ApiResult<Answer>> Delete(Call* call);
http::Task<ApiResult<Answer>> DeleteCollection(Call* call);
http::Task<ApiResult<Answer>> Evict(Call* call);  // POST pods/NAME/eviction

// These answer by themselves.
http::Task<void> ServeWatch(Call* call);
http::Task<void> ServeLogs(Call* call);
http::Task<void> ServeConnection(Call* call);  // pods/exec, pods/attach, pods/portforward

}  // namespace updraft::controller

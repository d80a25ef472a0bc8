// Memory for nghttp2 from the threads' free lists: its many small, short-lived blocks cost no malloc.
#pragma once

#include <nghttp2/nghttp2.h>

namespace updraft::http {

// Of static duration; what is taken on one thread may be given back on another.
nghttp2_mem* Http2Memory();

}  // namespace updraft::http

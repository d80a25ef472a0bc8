// Reads an image archive as it comes in and puts its blobs into the content store on the way.
#pragma once

#include <string>

#include "core/base/result.h"
#include "node-agent/image/archive_index.h"
#include "node-agent/image/byte_queue.h"
#include "node-agent/image/content_store.h"
#include "node-agent/image/progress.h"

namespace updraft::node_agent {

// Plain, gzip- and zstd-compressed tar. Blocks until the archive has ended; blobs are held by the
// store's lease. kInvalidArgument for what is no archive, or damaged.
Result<ArchiveContents> ReadArchive(ByteQueue& bytes, const ContentStore& store,
                                    ProgressMeter& meter);

}  // namespace updraft::node_agent

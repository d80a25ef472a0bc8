#include "node-agent/image/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>

#include "node-agent/image/digest.h"

namespace updraft::node_agent {
namespace {

constexpr int64_t kDocumentBytesMax = kConfigBytesMax;
constexpr size_t kEntriesMax = 100'000;
constexpr char kBlobFolder[] = "blobs/sha256/";

bool IsLayerFile(const std::string& path) {
  for (const char* end : {".tar", ".tar.gz", ".tgz", ".tar.zst"}) {
    if (path.ends_with(end)) return true;
  }
  return false;
}

// libarchive pulls, the queue pushes.
struct Feed {
  ByteQueue& bytes;
  ProgressMeter& meter;
  std::string chunk = {};

  static la_ssize_t Next(archive*, void* user, const void** data) {
    auto& feed = *static_cast<Feed*>(user);
    std::optional<std::string> chunk = feed.bytes.Read();
    if (!chunk.has_value()) return 0;
    feed.chunk = std::move(*chunk);
    feed.meter.Add(static_cast<int64_t>(feed.chunk.size()));
    *data = feed.chunk.data();
    return static_cast<la_ssize_t>(feed.chunk.size());
  }
};

class ArchiveReader {
 public:
  ArchiveReader(ByteQueue& bytes, const ContentStore& store, ProgressMeter& meter)
      : feed_{.bytes = bytes, .meter = meter}, store_(store) {}

  Result<ArchiveContents> Read() {
    archive_read_support_format_tar(archive_.get());
    archive_read_support_filter_gzip(archive_.get());
    archive_read_support_filter_zstd(archive_.get());
    if (archive_read_open(archive_.get(), &feed_, nullptr, Feed::Next, nullptr) != ARCHIVE_OK) {
      return Damaged();
    }
    for (size_t entries = 0; entries < kEntriesMax; ++entries) {
      archive_entry* entry = nullptr;
      const int outcome = archive_read_next_header(archive_.get(), &entry);
      if (outcome == ARCHIVE_EOF) return std::move(contents_);
      if (outcome != ARCHIVE_OK && outcome != ARCHIVE_WARN) return Damaged();
      if (Status taken = Take(entry); !taken) return taken.error();
    }
    return Error{Code::kInvalidArgument, "the archive has too many entries"};
  }

 private:
  Status Take(archive_entry* entry) {
    const char* raw = archive_entry_pathname(entry);
    const std::string path = NormalisedPath(raw != nullptr ? raw : "");
    if (path.empty()) return Ok();
    if (const char* hardlink = archive_entry_hardlink(entry)) {
      contents_.links[path] = NormalisedPath(hardlink);
      return Ok();
    }
    if (archive_entry_filetype(entry) == AE_IFLNK) {
      const char* target = archive_entry_symlink(entry);
      contents_.links[path] = LinkTarget(path, target != nullptr ? target : "");
      return Ok();
    }
    if (archive_entry_filetype(entry) != AE_IFREG) return Ok();
    const int64_t size = archive_entry_size(entry);
    if (path.starts_with(kBlobFolder)) {
      return TakeBlob(path, "sha256:" + path.substr(sizeof(kBlobFolder) - 1), size);
    }
    if (IsLayerFile(path)) return TakeBlob(path, "", size);
    if (path.ends_with(".json")) return TakeDocument(path, size);
    return Ok();  // libarchive skips what nobody reads
  }

  Status TakeDocument(const std::string& path, int64_t size) {
    if (size > kDocumentBytesMax) {
      return Error{Code::kInvalidArgument, "the archive's " + path + " is larger than 8 MB"};
    }
    std::string text;
    const Status read = EachBlock([&text](std::string_view block) {
      text += block;
      return Ok();
    });
    if (!read) return read;
    const std::string digest = DigestOf(text);
    contents_.files[path] = {.digest = digest, .size = static_cast<int64_t>(text.size())};
    if (IsArchiveDocument(path)) {
      contents_.documents[path] = std::move(text);
      return Ok();
    }
    return store_.Put(digest, text, {});
  }

  // `digest` is empty where only the bytes themselves tell it.
  Status TakeBlob(const std::string& path, const std::string& digest, int64_t size) {
    if (!digest.empty() && !IsDigest(digest)) {
      return Error{Code::kInvalidArgument, "the archive's " + path + " is not named by a digest"};
    }
    const std::string ref =
        digest.empty() ? "updraft-load-" + store_.scope().lease + "-" + path : "updraft-" + digest;
    auto opened = BlobWriter::Open(store_.scope(), {.ref = ref, .digest = digest, .size = size});
    if (!opened && opened.error().code == Code::kAlreadyExists) {
      contents_.files[path] = {.digest = digest, .size = size};
      return Ok();
    }
    if (!opened) return opened.error();
    BlobWriter& writer = **opened;
    if (writer.offset() > 0) {
      if (Status restarted = writer.Restart(); !restarted) return restarted;
    }
    Sha256 hash;
    const Status read = EachBlock([&](std::string_view block) {
      hash.Update(block);
      return writer.Write(block);
    });
    if (!read) return read;
    const std::string actual = hash.Finish();
    contents_.files[path] = {.digest = actual, .size = writer.offset()};
    if (digest.empty() || digest == actual) return writer.Commit(actual, {});
    opened->reset();
    const Status dropped = store_.Abort(ref);  // else it goes with the lease
    return Error{Code::kInvalidArgument, "digest mismatch: the archive's " + path + " has digest " +
                                             actual +
                                             (dropped ? "" : ", and " + dropped.error().message)};
  }

  template <typename Use>
  Status EachBlock(const Use& use) {
    while (true) {
      const void* data = nullptr;
      size_t size = 0;
      la_int64_t offset = 0;
      const int outcome = archive_read_data_block(archive_.get(), &data, &size, &offset);
      if (outcome == ARCHIVE_EOF) return Ok();
      if (outcome != ARCHIVE_OK && outcome != ARCHIVE_WARN) return Damaged();
      const Status used = use(std::string_view(static_cast<const char*>(data), size));
      if (!used) return used;
    }
  }

  Error Damaged() const {
    const char* why = archive_error_string(archive_.get());
    return {Code::kInvalidArgument,
            std::string("not a readable tar archive: ") + (why != nullptr ? why : "it is empty")};
  }

  struct Free {
    void operator()(archive* reader) const { archive_read_free(reader); }
  };

  Feed feed_;
  const ContentStore& store_;
  ArchiveContents contents_;
  const std::unique_ptr<archive, Free> archive_{archive_read_new()};
};

}  // namespace

Result<ArchiveContents> ReadArchive(ByteQueue& bytes, const ContentStore& store,
                                    ProgressMeter& meter) {
  return ArchiveReader(bytes, store, meter).Read();
}

}  // namespace updraft::node_agent

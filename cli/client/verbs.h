// The commands that speak to the API. Each prints its results, or what went wrong to the error
// stream, and returns an exit code.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/client/manifest.h"
#include "cli/client/session.h"
#include "core/base/clock.h"

namespace updraft::cli {

struct ApplyOptions {
  ManifestQuery manifests{};
  bool dry_run = false;  // asks the server to check, and to store nothing
  bool wait = false;     // until what was applied is ready
  // The server merges by who owns which field; forced, it takes fields over from others.
  bool server_side = false;
  bool force_conflicts = false;
  std::string field_manager{};  // empty: updraft
  Nanos timeout = Seconds(120);
};
int Apply(const Session& session, const ApplyOptions& options);

struct WriteOptions {
  ManifestQuery manifests{};
  bool dry_run = false;
};
int Create(const Session& session, const WriteOptions& options);
int Replace(const Session& session, const WriteOptions& options);

struct DiffOptions {
  ManifestQuery manifests{};
};
// What apply would change, as $KUBECTL_EXTERNAL_DIFF or diff shows it. 0: nothing; 1: something;
// more: it could not be found out.
inline constexpr int kDiffFailed = 2;
int Diff(const Session& session, const DiffOptions& options);

struct EditOptions {
  std::vector<std::string> resources{};
};
// With $KUBE_EDITOR, $VISUAL, $EDITOR or vi.
int Edit(const Session& session, const EditOptions& options);

struct ExplainOptions {
  std::string what{};  // KIND[.FIELD...]
  bool recursive = false;
};
// From what this program itself knows of the kinds: no server is asked.
int Explain(const Session& session, const ExplainOptions& options);

struct GetOptions {
  std::vector<std::string> resources{};
  std::string output{};    // "", wide, yaml, json, name
  std::string selector{};  // labels
  bool all_namespaces = false;
  bool headers = true;
  bool watch = false;
};
int Get(const Session& session, const GetOptions& options);

struct DescribeOptions {
  std::vector<std::string> resources{};
  std::string selector{};
};
int DescribeResources(const Session& session, const DescribeOptions& options);

struct DeleteOptions {
  std::vector<std::string> resources{};
  ManifestQuery manifests{};
  std::string selector{};
  std::string cascade = "background";  // foreground, orphan
  bool all = false;
  bool wait = true;
  bool ignore_not_found = false;
  Nanos timeout = Seconds(120);
};
int Delete(const Session& session, const DeleteOptions& options);

struct PatchOptions {
  std::vector<std::string> resources{};
  std::string patch{};         // JSON or YAML
  std::string type = "merge";  // json, merge, strategic
  bool dry_run = false;
};
int Patch(const Session& session, const PatchOptions& options);

enum class MarkField { kLabels, kAnnotations };
struct MarkOptions {
  std::vector<std::string> arguments{};  // objects, KEY=VALUE and KEY-
  bool overwrite = false;
};
int Mark(const Session& session, MarkField field, const MarkOptions& options);

enum class Schedulable { kYes, kNo };
int Cordon(const Session& session, const std::vector<std::string>& nodes, Schedulable wish);

struct DrainOptions {
  std::vector<std::string> nodes{};
  Nanos timeout = Seconds(300);  // until the last instance has gone
};
int Drain(const Session& session, const DrainOptions& options);

struct WaitOptions {
  std::vector<std::string> resources{};
  std::string wish{};  // "condition=TYPE[=STATUS]", "delete"
  std::string selector{};
  Nanos timeout = Seconds(30);
};
int Wait(const Session& session, const WaitOptions& options);

struct LogsOptions {
  std::string target{};  // POD, pod/POD, rev/NAME or ksvc/NAME
  std::string container{};
  bool follow = false;
  bool timestamps = false;
  bool previous = false;
  std::optional<int64_t> tail = std::nullopt;
  std::optional<Nanos> since = std::nullopt;
  std::optional<int64_t> bytes_max = std::nullopt;
};
int Logs(const Session& session, const LogsOptions& options);

}  // namespace updraft::cli

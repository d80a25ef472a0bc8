#include "cli/replay/replay.h"

#include <algorithm>
#include <fstream>
#include <unordered_map>

#include "cli/replay/decisions.h"
#include "cli/replay/manifest.h"
#include "cli/replay/pictures.h"

namespace updraft::cli {
namespace {

constexpr size_t kRequestsMax = 20'000'000;
constexpr size_t kRevisionsMax = 10'000;

struct Requests {
  std::vector<std::string> revisions;
  std::unordered_map<std::string, int> index;
  std::vector<ReplayedRequest> list;
};

Status TakeRequest(InputLine& line, Requests& into) {
  ReplayedRequest request;
  request.at = TimePoint(line.SecondsOrFault("at"));
  request.duration = line.SecondsOrFault("duration");
  const std::string name = line.Text("revision").value_or("revision");
  if (line.failed()) return line.fault();
  const auto [it, added] = into.index.try_emplace(name, static_cast<int>(into.revisions.size()));
  if (added) into.revisions.push_back(name);
  request.revision = it->second;
  into.list.push_back(request);
  if (into.list.size() > kRequestsMax)
    return Error{Code::kResourceExhausted, "more than 20 million requests"};
  if (into.revisions.size() > kRevisionsMax)
    return Error{Code::kResourceExhausted, "more than 10,000 revisions"};
  return Ok();
}

Status Draw(const std::string& path, const std::string& picture) {
  std::ofstream file(path);
  file << picture;
  file.close();
  if (!file) return Error{Code::kUnavailable, path + ": cannot be written"};
  return Ok();
}

Status ReplayRequests(const ReplayOptions& options, Requests requests, std::ostream& out) {
  if (options.manifests.empty())
    return Error{Code::kInvalidArgument,
                 options.file + ": these are requests: --manifest FILE is wanted"};
  std::ranges::stable_sort(requests.list, {}, &ReplayedRequest::at);
  std::vector<NamedSum> sums;
  std::vector<AccountRow> rows;
  const bool several = options.manifests.size() > 1;
  for (const std::string& path : options.manifests) {
    const Result<ReplayedManifest> manifest = ReadReplayedManifest(path);
    if (!manifest) return manifest.error();
    RequestModel model(manifest->target, requests.revisions, requests.list, options.model);
    const AccountSum sum = model.Run([&](const AccountRow& row) {
      if (several) return;
      out << ToJsonLine(row) << "\n";
      rows.push_back(row);
    });
    out << ToJsonLine(manifest->name, sum) << "\n";
    sums.push_back({manifest->name, sum});
  }
  if (options.plot.empty()) return Ok();
  return Draw(options.plot, several ? DrawComparison(sums) : DrawRequests(sums.front().name, rows));
}

}  // namespace

Status Replay(const ReplayOptions& options, std::istream& in, std::ostream& out,
              std::ostream& err) {
  DecisionReplay decisions;
  Requests requests;
  enum class Kind { kUnknown, kObservations, kRequests } kind = Kind::kUnknown;
  Status read = ForEachLine(in, options.file, [&](InputLine& line) -> Status {
    if (kind == Kind::kUnknown) kind = line.Has("duration") ? Kind::kRequests : Kind::kObservations;
    if (kind == Kind::kRequests) return TakeRequest(line, requests);
    const Result<std::string> answer =
        decisions.Take(line, [&err](const std::string& what) { err << what << "\n"; });
    if (!answer) return answer.error();
    if (!answer->empty()) out << *answer << "\n";
    return Ok();
  });
  if (!read) return read;
  if (kind == Kind::kUnknown)
    return Error{Code::kInvalidArgument, options.file + ": nothing is in it"};
  if (kind == Kind::kRequests) return ReplayRequests(options, std::move(requests), out);
  return options.plot.empty() ? Ok() : Draw(options.plot, DrawDecisions(decisions.points()));
}

}  // namespace updraft::cli

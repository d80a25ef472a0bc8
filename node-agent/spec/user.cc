#include "node-agent/spec/user.h"

#include <algorithm>
#include <charconv>

namespace updraft::node_agent {
namespace {

constexpr int64_t kIdMax = 0x7fffffff;

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<int64_t> Number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 || number > kIdMax) return std::nullopt;
  return number;
}

struct Account {
  std::string_view name;
  int64_t uid = 0;
  int64_t gid = 0;
};

// name:password:uid:gid:...
std::optional<Account> ParseAccount(std::string_view line) {
  const auto fields = Split(line, ':');
  if (fields.size() < 4) return std::nullopt;
  const auto uid = Number(fields[2]);
  const auto gid = Number(fields[3]);
  if (!uid || !gid) return std::nullopt;
  return Account{fields[0], *uid, *gid};
}

template <typename Matches>
std::optional<Account> FindAccount(std::string_view passwd, Matches matches) {
  for (const std::string_view line : Split(passwd, '\n')) {
    const auto account = ParseAccount(line);
    if (account && matches(*account)) return account;
  }
  return std::nullopt;
}

std::optional<int64_t> FindGroup(std::string_view group, std::string_view name) {
  for (const std::string_view line : Split(group, '\n')) {
    const auto fields = Split(line, ':');
    if (fields.size() >= 3 && fields[0] == name) return Number(fields[2]);
  }
  return std::nullopt;
}

std::vector<uint32_t> GroupsOf(std::string_view group, std::string_view user) {
  std::vector<uint32_t> gids;
  for (const std::string_view line : Split(group, '\n')) {
    const auto fields = Split(line, ':');
    if (fields.size() < 4) continue;
    const auto members = Split(fields[3], ',');
    const auto gid = Number(fields[2]);
    if (gid && std::ranges::find(members, user) != members.end()) gids.push_back(static_cast<uint32_t>(*gid));
  }
  std::ranges::sort(gids);
  const auto repeated = std::ranges::unique(gids);
  gids.erase(repeated.begin(), repeated.end());
  return gids;
}

std::string Where(const UserRequest& request) {
  return " (pod: \"" + request.pod + "\", container: " + request.container + ")";
}

Status CheckNonRoot(const UserRequest& request, std::string_view user) {
  if (!request.run_as_non_root) return Ok();
  if (request.run_as_user) {
    if (*request.run_as_user != 0) return Ok();
    return Error{Code::kFailedPrecondition, "container's runAsUser breaks non-root policy" + Where(request)};
  }
  if (user.empty() || Number(user) == 0) {
    return Error{Code::kFailedPrecondition, "container has runAsNonRoot and image will run as root" + Where(request)};
  }
  if (!Number(user)) {
    return Error{Code::kFailedPrecondition, "container has runAsNonRoot and image has non-numeric user (" +
                                                std::string(user) + "), cannot verify user is non-root" +
                                                Where(request)};
  }
  return Ok();
}

// Group 0 where nothing says otherwise: as containerd does for a number without an entry.
Result<int64_t> ResolveGroup(std::string_view group, const std::optional<Account>& account, const UserFiles& files) {
  if (group.empty()) return account ? account->gid : 0;
  if (const auto number = Number(group)) return *number;
  const auto found = FindGroup(files.group, group);
  if (!found) return Error{Code::kInvalidArgument, "no group \"" + std::string(group) + "\" in the image's /etc/group"};
  return *found;
}

}  // namespace

Result<ResolvedUser> ResolveUser(const UserRequest& request, const UserFiles& files) {
  const size_t colon = request.image_user.find(':');
  std::string user = request.image_user.substr(0, colon);
  std::string group = colon == std::string::npos ? "" : request.image_user.substr(colon + 1);
  if (Status allowed = CheckNonRoot(request, user); !allowed) return allowed.error();
  if (request.run_as_user) {
    user = std::to_string(*request.run_as_user);
    group.clear();
  }
  if (request.run_as_group) group = std::to_string(*request.run_as_group);
  if (user.empty()) user = "0";

  const auto number = Number(user);
  const auto account = number ? FindAccount(files.passwd, [&number](const Account& a) { return a.uid == *number; })
                              : FindAccount(files.passwd, [&user](const Account& a) { return a.name == user; });
  if (!number && !account) {
    return Error{Code::kInvalidArgument, "no user \"" + user + "\" in the image's /etc/passwd"};
  }
  const Result<int64_t> gid = ResolveGroup(group, account, files);
  if (!gid) return gid.error();
  ResolvedUser resolved;
  resolved.uid = static_cast<uint32_t>(number ? *number : account->uid);
  resolved.gid = static_cast<uint32_t>(*gid);
  if (account) resolved.additional_gids = GroupsOf(files.group, account->name);
  return resolved;
}

}  // namespace updraft::node_agent

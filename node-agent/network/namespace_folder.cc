#include "node-agent/network/namespace_folder.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>

#include "node-agent/network/netlink.h"
#include "node-agent/network/netns.h"

namespace updraft::node_agent {
namespace {

namespace fs = std::filesystem;

constexpr char kPrefix[] = "ns-";

std::optional<Ipv4> AddressIn(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return ParseIpv4(name.substr(sizeof(kPrefix) - 1));
}

Error FolderError(const std::string& path, const std::error_code& error) {
  return {Code::kInternal, path + ": " + error.message()};
}

}  // namespace

bool IsInstanceName(const std::string& name) {
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
}

Status NamespaceFolder::Create() const {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) return FolderError(path_, error);
  return Ok();
}

Status NamespaceFolder::Claim(const std::string& instance, Ipv4 address) const {
  const std::string link = path_ + "/" + instance;
  const std::string target = kPrefix + ToString(address);
  if (symlink(target.c_str(), link.c_str()) == 0) return Ok();
  if (errno == EEXIST && unlink(link.c_str()) == 0 && symlink(target.c_str(), link.c_str()) == 0) {
    return Ok();
  }
  return ErrnoError("make " + link, errno);
}

void NamespaceFolder::Unclaim(const std::string& instance) const {
  unlink((path_ + "/" + instance).c_str());
}

Result<NamespaceFolder::Contents> NamespaceFolder::Read() const {
  Contents contents;
  std::error_code error;
  for (auto entry = fs::directory_iterator(path_, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    std::error_code not_a_link;
    const fs::path target = fs::read_symlink(entry->path(), not_a_link);
    if (!not_a_link) {
      if (const auto address = AddressIn(target)) contents.claims.emplace(name, *address);
    } else if (const auto address = AddressIn(name)) {
      contents.addresses.push_back(*address);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) return FolderError(path_, error);
  return contents;
}

Status NamespaceFolder::RemoveAll() const {
  const auto contents = Read();
  if (!contents) return contents.error();
  Status first = Ok();
  for (const Ipv4 address : contents->addresses) {
    Status removed = RemoveNamespace(PathOf(address));
    if (first && !removed) first = std::move(removed);
  }
  for (const auto& [instance, address] : contents->claims) Unclaim(instance);
  if (rmdir(path_.c_str()) != 0 && errno != ENOENT && first) {
    return ErrnoError("remove " + path_, errno);
  }
  return first;
}

}  // namespace updraft::node_agent

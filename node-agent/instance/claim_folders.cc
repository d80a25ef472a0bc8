#include "node-agent/instance/claim_folders.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "core/base/log.h"
#include "node-agent/instance/tree.h"

namespace updraft::node_agent {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGone = ".gone-";  // no claim's name begins so

std::vector<std::string> NamesIn(const std::string& root) {
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(root, error)) names.push_back(entry.path().filename());
  return names;
}

}  // namespace

ClaimFolders::ClaimFolders(std::string root, InUse in_use) : root_(std::move(root)), in_use_(std::move(in_use)) {}

ClaimFolders::~ClaimFolders() { stop_ = true; }

void ClaimFolders::KeepOnly(const std::set<std::string>& claims) {
  doomed_.clear();
  for (const std::string& name : NamesIn(root_)) {
    if (name.starts_with(kGone)) {
      Dispose(name);
    } else if (!claims.contains(name)) {
      doomed_.insert(name);
    }
  }
  Sweep();
}

void ClaimFolders::Remove(const std::string& claim) {
  std::error_code error;
  if (!fs::exists(fs::path(root_) / claim, error)) return;
  doomed_.insert(claim);
  Sweep();
}

void ClaimFolders::Sweep() {
  std::erase_if(doomed_, [this](const std::string& claim) {
    if (in_use_(claim)) return false;
    // Out of the way at once; its content takes as long as it takes.
    const std::string name = std::string(kGone) + claim;
    if (rename((root_ + "/" + claim).c_str(), (root_ + "/" + name).c_str()) != 0) {
      Log(Level::kWarn, "claim_not_removed", {{"claim", claim}, {"error", std::strerror(errno)}});
    } else {
      Dispose(name);
    }
    return true;
  });
}

void ClaimFolders::Dispose(const std::string& name) {
  worker_.Submit([this, path = root_ + "/" + name] { RemoveTree(path, stop_); });
}

}  // namespace updraft::node_agent

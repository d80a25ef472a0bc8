// The rules of the house that a machine can check: see CONTRIBUTING.md and docs/architecture.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Source {
  std::string path;  // from the project's root
  std::string text;
};

std::string Read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

const std::vector<Source>& Sources() {
  static const std::vector<Source> sources = [] {
    std::vector<Source> found;
    for (const char* top : {"core", "controller", "activator", "autoscaler", "node-agent", "cli", "tests"}) {
      for (const auto& entry : fs::recursive_directory_iterator(fs::path(UPDRAFT_ROOT) / top)) {
        const std::string extension = entry.path().extension();
        if (extension != ".cc" && extension != ".h") continue;
        found.push_back({fs::relative(entry.path(), UPDRAFT_ROOT).string(), Read(entry.path())});
      }
    }
    return found;
  }();
  return sources;
}

bool Under(const std::string& path, const std::vector<std::string>& folders) {
  return std::ranges::any_of(folders, [&](const std::string& folder) { return path.starts_with(folder); });
}

// Fails for every line of a source below `folders` (all if empty) that matches, but for the `allowed` paths.
void Forbid(const std::string& pattern, const std::string& instead, const std::vector<std::string>& folders,
            const std::vector<std::string>& allowed) {
  const std::regex regex(pattern);
  for (const Source& source : Sources()) {
    if (!folders.empty() && !Under(source.path, folders)) continue;
    if (Under(source.path, allowed) || source.path == "tests/tidy_test.cc") continue;
    std::istringstream lines(source.text);
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
      const size_t comment = line.find("//");
      if (std::regex_search(line.substr(0, comment), regex)) {
        ADD_FAILURE() << source.path << ":" << number << ": " << instead << "\n  " << line;
      }
    }
  }
}

const std::vector<std::string> kPureFolders = {"activator/routing/", "autoscaler/kpa/", "autoscaler/floor/", "autoscaler/hpa/",
                                               "controller/placement/",
                                               "controller/instances/", "node-agent/spec/", "core/api/"};

// The shell around a pure core, where it is too small for a folder of its own.
const std::vector<std::string> kShellFiles = {"controller/instances/fleet_on_loop.", "controller/instances/revision_source."};

TEST(TidyTest, NobodySleeps) {
  Forbid(R"(\bsleep_for\b|\bsleep_until\b|\busleep\()", "wait on a condition", {}, {});
}

TEST(TidyTest, ClocksAreHandedIn) {
  Forbid(R"(\w+_clock::now|clock_gettime\(|gettimeofday\(|timespec_get\(|\btime\((nullptr|NULL|0|&))",
         "take the time as an argument, or a Clock", {},
         // The last two give gRPC a deadline, in the clock that it wants.
         {"core/base/real_clock.cc", "tests/", "autoscaler/main.cc", "cli/supervise/stop.cc"});
}

// How long something may take is a matter of the monotonic clock alone: the data plane asks for the time of day only to tell
// it, in a Date field, a cold start's report and the access log.
TEST(TidyTest, TheTimeOfDayDecidesNothing) {
  Forbid(R"(^(?!.*(HttpDate|OnFirstByte|\.time = )).*(Wall\(\)|system_clock))", "decide by the monotonic clock",
         {"core/base/loop.", "core/base/timer_wheel.", "core/http/", "activator/proxy/", "activator/queue/"},
         {"core/http/certificate."});
}

TEST(TidyTest, ThreadsStartInOnePlace) {
  Forbid(R"(std::j?thread\b(?!::))", "use LoopThread or NamedThread", {}, {"core/base/loop.", "tests/"});
}

TEST(TidyTest, PureFoldersStayPure) {
  Forbid(R"(#include <(grpcpp|curl|prometheus|thread|mutex|iostream|sys/socket)|#include "core/base/(loop|log)\.h)",
         "pure code sees no I/O", kPureFolders, kShellFiles);
}

TEST(TidyTest, ComponentsMeetOnlyInProto) {
  const std::map<std::string, std::string> others = {
      {"core/", R"(#include "(controller|activator|autoscaler|node-agent|cli)/)"},
      {"controller/", R"(#include "(activator|autoscaler|node-agent|cli)/)"},
      {"activator/", R"(#include "(controller|autoscaler|node-agent|cli)/)"},
      {"autoscaler/", R"(#include "(controller|activator|node-agent|cli)/)"},
      {"node-agent/", R"(#include "(controller|activator|autoscaler|cli)/)"},
      {"cli/", R"(#include "(controller|activator|autoscaler|node-agent)/)"}};
  for (const auto& [folder, pattern] : others) {
    Forbid(pattern, "components never include one another", {folder}, {"cli/replay/"});
  }
  // What would the autoscaler have done? is answered by the autoscaler's own pure code, and by no other component's.
  Forbid(R"(#include "(controller|activator|node-agent)/)", "replay runs the autoscaler alone", {"cli/replay/"}, {});
}

TEST(TidyTest, TypesAreNamedForWhatTheyAre) {
  Forbid(R"(^\s*(class|struct) \w*(Manager|Helper|Util|Utils|Common|Impl)\b)", "name what it holds or does", {}, {});
}

TEST(TidyTest, NothingIsLeftForLater) {
  const std::regex marker("TODO|FIXME|XXX:");
  for (const Source& source : Sources()) {
    if (source.path == "tests/tidy_test.cc") continue;
    EXPECT_FALSE(std::regex_search(source.text, marker)) << source.path;
  }
}

TEST(TidyTest, FilesHaveOneReasonToExist) {
  constexpr int64_t kLinesMax = 500;
  for (const Source& source : Sources()) {
    if (source.path.starts_with("tests/")) continue;
    EXPECT_LE(std::ranges::count(source.text, '\n'), kLinesMax) << source.path;
  }
}

TEST(TidyTest, EverySourceIsBuilt) {
  std::map<std::string, std::string> lists;  // folder -> text of the CMake files in it and above it
  const auto lists_for = [&](const fs::path& folder) {
    std::string text;
    for (fs::path at = folder;; at = at.parent_path()) {
      for (const auto& entry : fs::directory_iterator(fs::path(UPDRAFT_ROOT) / at)) {
        const std::string name = entry.path().filename();
        if (name == "CMakeLists.txt" || entry.path().extension() == ".cmake") text += Read(entry.path());
      }
      if (at.empty()) return text;
    }
  };
  for (const Source& source : Sources()) {
    if (!source.path.ends_with(".cc")) continue;
    const fs::path path(source.path);
    std::string& text = lists[path.parent_path()];
    if (text.empty()) text = lists_for(path.parent_path());
    EXPECT_NE(text.find(path.filename().string()), std::string::npos) << source.path << " is in no CMake list";
  }
}

}  // namespace

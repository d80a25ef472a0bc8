#include "cli/client/manifest.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "core/api/meta.h"

namespace updraft::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ManifestTest : public testing::Test {
 protected:
  ManifestTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "updraft-cli-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~ManifestTest() override { std::filesystem::remove_all(folder_); }
  std::string Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }
  // "source kind" of each document.
  std::vector<std::string> Read(const ManifestQuery& query, const std::string& input = "") {
    std::istringstream in(input);
    manifests_ = ReadManifests(query, {in, [](const std::string& url) -> Result<std::string> {
                                         if (url.ends_with("missing"))
                                           return Error{Code::kNotFound, "404"};
                                         return std::string("kind: FromTheWeb");
                                       }});
    std::vector<std::string> shown;
    for (const ManifestDocument& document : manifests_.documents) {
      std::string source = document.source;
      if (source.starts_with(folder_)) source.erase(0, folder_.size() + 1);
      shown.push_back(source + " " + api::KindOf(document.value));
    }
    return shown;
  }
  std::string folder_;
  Manifests manifests_;
};

TEST_F(ManifestTest, OneDocumentGoesByItsFile) {
  EXPECT_THAT(Read({.sources = {Write("a.yaml", "kind: A")}}), ElementsAre("a.yaml A"));
}

TEST_F(ManifestTest, SeveralDocumentsAreNumbered) {
  EXPECT_THAT(Read({.sources = {Write("a.yaml", "kind: A\n---\nkind: B\n---\n")}}),
              ElementsAre("a.yaml, document 1 A", "a.yaml, document 2 B"));
}

TEST_F(ManifestTest, JsonAndStandardInputAndTheWeb) {
  EXPECT_THAT(
      Read({.sources = {Write("a.json", R"({"kind": "A"})"), "-", "http://x/y"}}, "kind: In"),
      ElementsAre("a.json A", "standard input In", "http://x/y FromTheWeb"));
}

TEST_F(ManifestTest, AListIsItsItems) {
  EXPECT_THAT(Read({.sources = {"-"}}, "kind: List\nitems: [{kind: A}, {kind: B}]"),
              ElementsAre("standard input A", "standard input B"));
}

TEST_F(ManifestTest, AFolderGivesItsManifestsByName) {
  Write("d/b.yml", "kind: B");
  Write("d/a.yaml", "kind: A");
  Write("d/notes.txt", "kind: No");
  Write("d/deeper/c.yaml", "kind: C");
  EXPECT_THAT(Read({.sources = {folder_ + "/d"}}), ElementsAre("d/a.yaml A", "d/b.yml B"));
  EXPECT_THAT(Read({.sources = {folder_ + "/d"}, .recursive = true}),
              ElementsAre("d/a.yaml A", "d/b.yml B", "d/deeper/c.yaml C"));
}

TEST_F(ManifestTest, WhatIsWrongDoesNotHideTheRest) {
  const std::string bad = Write("bad.yaml", "a: [");
  const std::string twice = Write("twice.yaml", "kind: A\nkind: B");
  const std::string scalar = Write("scalar.yaml", "kind: Z\n---\njust text");
  std::filesystem::create_directories(folder_ + "/empty");
  EXPECT_THAT(Read({.sources = {bad, "/nowhere.yaml", twice, scalar, folder_ + "/empty",
                                "http://missing", Write("good.yaml", "kind: Good")}}),
              ElementsAre("scalar.yaml, document 1 Z", "good.yaml Good"));
  std::vector<std::string> messages;
  for (const Error& error : manifests_.errors) messages.push_back(error.message);
  EXPECT_THAT(messages,
              ElementsAre(HasSubstr("bad.yaml: "), HasSubstr("/nowhere.yaml: cannot be read"),
                          HasSubstr("\"kind\" stands there twice"),
                          HasSubstr("scalar.yaml, document 2: is no object"),
                          HasSubstr("no *.yaml"), HasSubstr("http://missing: 404")));
}

}  // namespace
}  // namespace updraft::cli

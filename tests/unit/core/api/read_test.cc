#include "core/api/read.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/write_yaml.h"

namespace updraft::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json Yaml(const std::string& text) {
  const auto documents = ReadYaml(text);
  if (!documents) return "ERROR " + documents.error().message;
  if (documents->size() != 1) return "DOCUMENTS " + std::to_string(documents->size());
  return documents->front().value;
}

TEST(ReadJsonTest, ReadsValues) {
  const auto document =
      ReadJson(R"({"a":[1,-2,3.5,"x",true,null],"b":{"c":18446744073709551615}})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->value.dump(),
            R"({"a":[1,-2,3.5,"x",true,null],"b":{"c":18446744073709551615}})");
}

TEST(ReadJsonTest, NamesLineAndColumn) {
  const auto document = ReadJson("{\n  \"a\": nope\n}");
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, Code::kInvalidArgument);
  EXPECT_THAT(document.error().message, HasSubstr("line 2, column 9"));
}

TEST(ReadJsonTest, TellsDuplicateKeysByPath) {
  const auto document = ReadJson(R"({"a":{"b":1,"b":2},"l":[{"x":1},{"x":1,"x":2}]})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->value["a"]["b"], 2);
  EXPECT_THAT(document->duplicates, ElementsAre("a.b", "l[1].x"));
}

TEST(ReadJsonTest, KeepsItsLimits) {
  EXPECT_EQ(ReadJson(std::string(101, '[') + std::string(101, ']')).error().code,
            Code::kResourceExhausted);
  EXPECT_TRUE(ReadJson(std::string(100, '[') + std::string(100, ']')));
  EXPECT_FALSE(ReadJson(std::string(2'000'000, '[')));
  EXPECT_EQ(ReadJson(std::string(4 << 20, ' ')).error().code, Code::kResourceExhausted);
  std::string many = "[0";
  for (int i = 0; i < 400'000; ++i) many += ",0";
  EXPECT_EQ(ReadJson(many + "]").error().code, Code::kResourceExhausted);
  EXPECT_FALSE(ReadJson("[1e999]"));
  EXPECT_FALSE(ReadJson("\"\xff\""));
  EXPECT_FALSE(ReadJson("{} x"));
  EXPECT_FALSE(ReadJson(""));
}

struct ScalarCase {
  const char* text;
  const char* json;
};

class YamlScalarTest : public testing::TestWithParam<ScalarCase> {};

TEST_P(YamlScalarTest, ReadsAsKubernetesDoes) {
  const ScalarCase& c = GetParam();
  EXPECT_EQ(Yaml(std::string("v: ") + c.text)["v"].dump(), c.json) << c.text;
}

INSTANTIATE_TEST_SUITE_P(
    Table, YamlScalarTest,
    testing::Values(ScalarCase{"yes", "true"}, ScalarCase{"no", "false"}, ScalarCase{"on", "true"},
                    ScalarCase{"Off", "false"}, ScalarCase{"y", "true"}, ScalarCase{"N", "false"},
                    ScalarCase{"yEs", "\"yEs\""}, ScalarCase{"\"yes\"", "\"yes\""},
                    ScalarCase{"~", "null"}, ScalarCase{"null", "null"}, ScalarCase{"", "null"},
                    ScalarCase{"1", "1"}, ScalarCase{"-7", "-7"}, ScalarCase{"+7", "7"},
                    ScalarCase{"010", "8"}, ScalarCase{"0o10", "8"}, ScalarCase{"0x1F", "31"},
                    ScalarCase{"0b101", "5"}, ScalarCase{"1_000", "1000"}, ScalarCase{"08", "8.0"},
                    ScalarCase{"1.5", "1.5"}, ScalarCase{".5", "0.5"}, ScalarCase{"1e3", "1000.0"},
                    ScalarCase{"1.2.3", "\"1.2.3\""}, ScalarCase{"250m", "\"250m\""},
                    ScalarCase{"2001-01-02", "\"2001-01-02\""}, ScalarCase{"12:30", "\"12:30\""},
                    ScalarCase{"18446744073709551615", "18446744073709551615"},
                    ScalarCase{"9223372036854775808", "9223372036854775808"},
                    ScalarCase{"-9223372036854775808", "-9223372036854775808"},
                    ScalarCase{"!!str 12", "\"12\""}, ScalarCase{"!!int 12", "12"},
                    ScalarCase{"!!float 12", "12"}, ScalarCase{"'a''b'", "\"a'b\""},
                    ScalarCase{"|\n  a\n  b\n", "\"a\\nb\\n\""},
                    ScalarCase{">\n  a\n  b\n", "\"a b\\n\""}));

TEST(ReadYamlTest, ReadsAManifest) {
  EXPECT_EQ(
      Yaml("apiVersion: v1\nmetadata:\n  name: x\n  labels: {a: b}\nspec:\n- name: p\n  port: "
           "80\n- null\n")
          .dump(),
      R"({"apiVersion":"v1","metadata":{"labels":{"a":"b"},"name":"x"},"spec":[{"name":"p","port":80},null]})");
}

TEST(ReadYamlTest, ReadsStreamsAndLeavesOutEmptyDocuments) {
  const auto documents = ReadYaml("---\na: 1\n---\n# nothing\n---\nb: 2\n...\n");
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->size(), 2U);
  EXPECT_EQ((*documents)[1].value["b"], 2);
  EXPECT_TRUE(ReadYaml("")->empty());
}

TEST(ReadYamlTest, KeysBecomeText) {
  EXPECT_EQ(Yaml("1: a\ntrue: b\nyes: c\n1.5: d").dump(), R"({"1":"a","1.5":"d","true":"c"})");
}

TEST(ReadYamlTest, FollowsAnchorsAndMerges) {
  EXPECT_EQ(Yaml("base: &b {a: 1, b: 2}\nuse: *b\nmerged:\n  <<: *b\n  b: 3\n").dump(),
            R"({"base":{"a":1,"b":2},"merged":{"a":1,"b":3},"use":{"a":1,"b":2}})");
  EXPECT_EQ(Yaml("x: &x {a: 1}\ny: &y {b: 2}\nz: {<<: [*x, *y], c: 3}")["z"].dump(),
            R"({"a":1,"b":2,"c":3})");
  EXPECT_EQ(Yaml("z: {<<: {a: 1}, c: 3}")["z"].dump(), R"({"a":1,"c":3})");
  EXPECT_EQ(Yaml("a: &k name\nb: {*k : 1}").dump(), R"({"a":"name","b":{"name":1}})");
}

TEST(ReadYamlTest, TellsDuplicateKeys) {
  const auto documents = ReadYaml("spec:\n  a: 1\n  a: 2\n");
  ASSERT_TRUE(documents);
  EXPECT_THAT(documents->front().duplicates, ElementsAre("spec.a"));
}

struct BadYaml {
  const char* text;
  const char* error;
};

class BadYamlTest : public testing::TestWithParam<BadYaml> {};

TEST_P(BadYamlTest, IsRefusedWithItsPlace) {
  EXPECT_THAT(Yaml(GetParam().text).dump(), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadYamlTest,
    testing::Values(BadYaml{"a: b: c", "yaml: line 1, column"}, BadYaml{"a: [1, 2", "yaml: line"},
                    BadYaml{"a: {b: 1", "yaml: line"}, BadYaml{"\tb: 1", "yaml: line"},
                    BadYaml{"a: *missing", "yaml: line 1"}, BadYaml{"a: &x [*x]", "alias"},
                    BadYaml{"? [a]\n: b", "a key must be a scalar"},
                    BadYaml{"a: .inf", "unsupported value"},
                    BadYaml{"a: !!binary aGk=", "not supported"},
                    BadYaml{"a: !!int x", "cannot decode"}, BadYaml{"~: x", "must not be null"},
                    BadYaml{"a: {<<: 3}", "map merge"}, BadYaml{"a: \"\xff\"", "UTF-8"},
                    BadYaml{"a: \x1b", "control characters"},
                    BadYaml{"\x7f: b", "control characters"}, BadYaml{"a: 'x", "yaml: line"}));

TEST(ReadYamlTest, BombsEndAtTheLimits) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 9; ++j) bomb += "," + last;
    bomb += "]\n";
  }
  EXPECT_THAT(Yaml(bomb).dump(), HasSubstr("values"));
  std::string texts = "a: &a " + std::string(1 << 20, 'x') + "\nb: [*a";
  for (int i = 0; i < 1000; ++i) texts += ",*a";
  EXPECT_THAT(Yaml(texts + "]").dump(), HasSubstr("values"));
  EXPECT_THAT(Yaml(std::string(200, '[')).dump(), HasSubstr("yaml: "));
  EXPECT_THAT(Yaml(std::string(100'000, '[')).dump(), HasSubstr("yaml: "));
  std::string deep;
  for (int i = 0; i < 150; ++i) deep += std::string(static_cast<size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(Yaml(deep).dump(), HasSubstr("deeper"));
  EXPECT_FALSE(ReadYaml(std::string(4 << 20, 'a')));
  std::string documents;
  for (int i = 0; i < 100'000; ++i) documents += "[]";
  EXPECT_THAT(Yaml(documents).dump(), HasSubstr("documents"));
}

TEST(WriteYamlTest, WritesWhatItReads) {
  const Json document = ReadJson(R"({
    "b":"yes","a":{"list":[{"x":1,"y":[1,2]},"12","-","- x","a: b","#c",""," d",[[]],{}],"empty":{},"none":[]},
    "multi":"one\ntwo\n","chomp":"one\ntwo","date":"2026-03-01T10:00:05Z","num":1.5,"t":true,"n":null,"tab":"a\tb",
    "keep":"a\n\n","quote":"say \"x\"","key: odd":"v","null":"null","<<":"no merge","in":{"<<":{"k":"<<"}}})")
                            ->value;
  const std::string text = WriteYaml(document);
  EXPECT_EQ(Yaml(text).dump(), document.dump()) << text;
  // Longer than a key may be that is not said to be one.
  const Json long_keys = {{std::string(1025, 'k'), {{std::string(2000, '-'), 1}, {"x", {{{std::string(1100, 'z'), 2}}}}}}};
  EXPECT_EQ(Yaml(WriteYaml(long_keys)).dump(), long_keys.dump());
}

TEST(WriteYamlTest, LooksLikeKubectl) {
  const Json document =
      ReadJson(
          R"({"apiVersion":"v1","metadata":{"name":"x"},"spec":{"ports":[{"port":80}],"on":"yes"}})")
          ->value;
  EXPECT_EQ(
      WriteYaml(document),
      "apiVersion: v1\nmetadata:\n  name: x\nspec:\n  \"on\": \"yes\"\n  ports:\n  - port: 80\n");
}

}  // namespace
}  // namespace updraft::api

// Go's templates, as ConfigMaps give them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/go_template.h"

namespace updraft::api {
namespace {

TEST(GoTemplateTest, Executes) {
  TemplateData data{.type = "T"};
  data.fields = {{"Name", "hello"},
                 {"Namespace", "prod"},
                 {"Labels", TemplateMap{{"app", "x"}, {"a.b/c", "y"}}},
                 {"Annotations", TemplateMap{}}};
  for (const auto& [text, want] : std::vector<std::pair<std::string, std::string>>{
           {"plain", "plain"},
           {"{{.Name}}.{{.Namespace}}", "hello.prod"},
           {"{{ .Name -}}  \n .x", "hello.x"},
           {"a {{- /* nothing */ -}} b", "ab"},
           {"{{index .Labels \"a.b/c\"}}-{{.Labels.app}}", "y-x"},
           {"[{{index .Annotations \"none\"}}]", "[]"},
           {"[{{.Annotations.none}}]", "[<no value>]"},
           {"{{if .Annotations}}a{{else if eq .Namespace \"prod\" \"x\"}}b{{else}}c{{end}}!", "b!"},
           {"{{if eq .Name `x`}}1{{else if eq .Name \"y\"}}2{{else if false}}3{{else}}4{{end}}5",
            "45"},
           {"{{with .Labels.app}}{{.}}-{{$.Name}}{{end}}", "x-hello"},
           {"{{with .Labels.none}}x{{else}}none{{end}}", "none"},
           {"{{.Name | printf \"%s-%s\" .Namespace}}", "prod-hello"},
           {"{{printf \"%q %d%%\" .Name (len .Name)}}", "\"hello\" 5%"},
           {"{{and .Name .Labels.app}}{{or \"\" .Name}}{{not .Annotations}}", "xhellotrue"},
           {"{{if ne (index .Labels \"app\") \"y\"}}{{print .Name 1 true}}{{end}}",
            "hello1true"}}) {
    const auto parsed = GoTemplate::Parse("t", text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    const auto result = parsed->Execute(data);
    ASSERT_TRUE(result) << text << ": " << result.error().message;
    EXPECT_EQ(*result, want) << text;
  }
}

TEST(GoTemplateTest, Refuses) {
  for (const auto& [text, want] : std::vector<std::pair<std::string, std::string>>{
           {"{{", "unclosed action"},
           {"a\n{{.Name", "template: t:2: unclosed action"},
           {"{{}}", "missing value for command"},
           {"{{if}}x{{end}}", "missing value for if"},
           {"{{if .Name}}x", "unexpected EOF"},
           {"{{if .Name}}x{{else}}y{{else}}z{{end}}", "expected end; found {{else}}"},
           {"{{else}}", "unexpected {{else}}"},
           {"{{range .X}}{{end}}", "function \"range\" not defined"},
           {"{{$x}}", "undefined variable \"$x\""},
           {"{{(.Name}}", "unclosed left paren"},
           {"{{\"a}}", "unterminated quoted string"},
           {"{{/* }}", "unclosed comment"},
           {"{{1x}}", "bad number syntax: \"1x\""},
           {"{{.Name}", "bad character U+007D '}'"}}) {
    const auto parsed = GoTemplate::Parse("t", text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, testing::HasSubstr(want)) << text;
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "{{if .A}}";
  EXPECT_FALSE(GoTemplate::Parse("t", deep));
  std::string nested(100, '(');
  EXPECT_FALSE(GoTemplate::Parse("t", "{{" + nested + ".A"));
  std::string chain = "{{if .A}}";
  for (int i = 0; i < 100; ++i) chain += "{{else if .A}}";
  EXPECT_FALSE(GoTemplate::Parse("t", chain + "{{end}}"));
  EXPECT_FALSE(GoTemplate::Parse("t", std::string(20'000, 'a')));
  const TemplateData data{.type = "T", .fields = {{"Name", "hello"}}};
  const auto wide = GoTemplate::Parse("t", std::string(5'000, 'a'));
  EXPECT_FALSE(wide->Execute(data));
  for (const auto& [text, want] : std::vector<std::pair<std::string, std::string>>{
           {"{{.Name.Foo}}",
            "template: t:1:7: executing \"t\" at <.Name.Foo>: can't evaluate field Foo in type "
            "string"},
           {"{{eq .Name 1}}", "error calling eq: incompatible types for comparison"},
           {"{{index .Name \"a\"}}", "error calling index: can't index item of type string"},
           {"{{.Name .Name}}", "can't give argument to non-function .Name"},
           {"{{len}}", "wrong number of args for len"}}) {
    const auto result = GoTemplate::Parse("t", text)->Execute(data);
    ASSERT_FALSE(result) << text;
    EXPECT_THAT(result.error().message, testing::HasSubstr(want)) << text;
  }
}

}  // namespace
}  // namespace updraft::api

// Reading and changing documents: access, metadata, conditions, selectors, diffs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/diff.h"
#include "core/api/meta.h"
#include "core/api/selectors.h"
#include "core/api/timestamp.h"

namespace updraft::api {
namespace {

using testing::HasSubstr;

WallTime At(int seconds) { return WallTime(Seconds(1'700'000'000 + seconds)); }

TEST(AccessTest, AbsentAndMistypedReadAsTheFallback) {
  const Json document = Json::parse(R"({"a":{"s":"x","i":3,"b":true,"n":null,"l":[1]}})");
  EXPECT_EQ(StringAt(document, {"a", "s"}), "x");
  EXPECT_EQ(StringAt(document, {"a", "i"}, "none"), "none");
  EXPECT_EQ(IntAt(document, {"a", "i"}), 3);
  EXPECT_EQ(IntAt(document, {"a", "s"}, 7), 7);
  EXPECT_TRUE(BoolAt(document, {"a", "b"}));
  EXPECT_EQ(Find(document, {"a", "n"}), nullptr);
  EXPECT_EQ(Find(document, {"a", "s", "deeper"}), nullptr);
  EXPECT_EQ(ArrayAt(document, {"a", "l"}).size(), 1U);
  EXPECT_TRUE(ObjectAt(document, {"a", "l"}).empty());
}

TEST(AccessTest, EnsureMakesAndEraseRemoves) {
  Json document;
  EnsureObject(document, {"a", "b"})["c"] = 1;
  EXPECT_EQ(document.dump(), R"({"a":{"b":{"c":1}}})");
  Erase(document, {"a", "b", "c"});
  Erase(document, {"x", "y"});
  EXPECT_EQ(document.dump(), R"({"a":{"b":{}}})");
  EXPECT_EQ(ToText(Json("\xff")), "\"\uFFFD\"");
}

TEST(MetaTest, OwnersAndFinalizers) {
  const Json owner = Json::parse(
      R"({"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"s","uid":"u1"}})");
  Json object = Json::object();
  EnsureObject(object, {"metadata"})["ownerReferences"] =
      Json::array({ControllerReferenceTo(owner)});
  EXPECT_TRUE(IsControlledBy(object, owner));
  EXPECT_TRUE(IsOwnedBy(object, "u1"));
  EXPECT_FALSE(IsOwnedBy(object, "u2"));
  EXPECT_EQ(ControllerOf(object)->name, "s");
  AddFinalizer(object, "a");
  AddFinalizer(object, "a");
  AddFinalizer(object, "b");
  EXPECT_EQ(ArrayAt(object, {"metadata", "finalizers"}).size(), 2U);
  RemoveFinalizer(object, "a");
  EXPECT_TRUE(HasFinalizer(object, "b"));
  RemoveFinalizer(object, "b");
  EXPECT_EQ(Find(object, {"metadata", "finalizers"}), nullptr);
}

TEST(MetaTest, FirstAnnotationPrefersTheFirstKeyThatIsThere) {
  const Json annotations = Json::parse(R"({"old":"1","new":"2"})");
  EXPECT_EQ(FirstAnnotation(annotations, {"new", "old"})->value, "2");
  EXPECT_EQ(FirstAnnotation(annotations, {"newer", "old"})->key, "old");
  EXPECT_FALSE(FirstAnnotation(annotations, {"none"}));
}

// ---- conditions

std::string Summary(const Json& status) {
  std::string text;
  for (const Json& c : status["conditions"]) {
    text +=
        StringAt(c, {"type"}) + "=" + StringAt(c, {"status"}) + "/" + StringAt(c, {"reason"}) + " ";
  }
  return text;
}

TEST(ConditionsTest, InitialiseAddsSumAndDependentsSorted) {
  Json status;
  Conditions conditions(RouteConditions(), status, At(0));
  conditions.Initialize();
  EXPECT_EQ(Summary(status),
            "AllTrafficAssigned=Unknown/ CertificateProvisioned=Unknown/ IngressReady=Unknown/ "
            "Ready=Unknown/ ");
}

TEST(ConditionsTest, ReadyNeedsAllDependents) {
  Json status;
  Conditions conditions(ServiceConditions(), status, At(0));
  conditions.Initialize();
  conditions.MarkTrue("ConfigurationsReady");
  EXPECT_FALSE(conditions.IsHappy());
  conditions.MarkTrue("RoutesReady");
  EXPECT_TRUE(conditions.IsHappy());
  conditions.MarkFalse("RoutesReady", "NotOwned", "not ours");
  EXPECT_EQ(conditions.Get("Ready")->reason, "NotOwned");
  EXPECT_EQ(conditions.Get("Ready")->message, "not ours");
}

TEST(ConditionsTest, AFailureOutweighsTheUnknown) {
  Json status;
  Conditions conditions(ServiceConditions(), status, At(0));
  conditions.MarkFalse("ConfigurationsReady", "RevisionFailed", "bad");
  conditions.MarkUnknown("RoutesReady", "OutOfDate", "wait");
  EXPECT_EQ(Summary(status),
            "ConfigurationsReady=False/RevisionFailed Ready=False/RevisionFailed "
            "RoutesReady=Unknown/OutOfDate ");
  conditions.MarkTrue("ConfigurationsReady");
  EXPECT_EQ(conditions.Get("Ready")->reason, "OutOfDate");
}

TEST(ConditionsTest, TheMostRecentFailureIsCopied) {
  Json status;
  Conditions(RouteConditions(), status, At(0)).MarkFalse("IngressReady", "First", "");
  Conditions(RouteConditions(), status, At(5)).MarkFalse("AllTrafficAssigned", "Second", "");
  Conditions(RouteConditions(), status, At(9)).MarkTrue("CertificateProvisioned");
  EXPECT_EQ(Conditions(RouteConditions(), status, At(9)).Get("Ready")->reason, "Second");
}

TEST(ConditionsTest, TheTimeMovesOnlyWithTheContent) {
  Json status;
  Conditions(ConfigurationConditions(), status, At(0)).MarkUnknown("Ready", "A", "b");
  const Json before = status;
  Conditions(ConfigurationConditions(), status, At(60)).MarkUnknown("Ready", "A", "b");
  EXPECT_EQ(status, before);
  Conditions(ConfigurationConditions(), status, At(60)).MarkUnknown("Ready", "A", "c");
  EXPECT_EQ(
      Conditions(ConfigurationConditions(), status, At(60)).Get("Ready")->last_transition_time,
      FormatTimestamp(At(60)));
}

TEST(ConditionsTest, OthersAreInformation) {
  Json status;
  Conditions conditions(RevisionConditions(), status, At(0));
  conditions.MarkTrue("ResourcesAvailable");
  conditions.MarkTrue("ContainerHealthy");
  conditions.MarkFalse("Active", "NoTraffic", "The target is not receiving traffic.");
  EXPECT_TRUE(conditions.IsHappy());
  EXPECT_EQ(conditions.Get("Active")->severity, "Info");
  EXPECT_EQ(conditions.Get("Ready")->severity, "");
  conditions.Clear("Active");
  conditions.Clear("Ready");
  EXPECT_FALSE(conditions.Get("Active"));
  EXPECT_TRUE(conditions.Get("Ready"));
}

// ---- selectors

struct SelectorCase {
  const char* selector;
  bool want;
};

class LabelSelectorTest : public testing::TestWithParam<SelectorCase> {};

TEST_P(LabelSelectorTest, Matches) {
  const auto selector = LabelSelector::Parse(GetParam().selector);
  ASSERT_TRUE(selector) << selector.error().message;
  EXPECT_EQ(selector->Matches(Json::parse(R"({"app":"web","tier":"front","n":"5","empty":""})")),
            GetParam().want)
      << GetParam().selector;
}

INSTANTIATE_TEST_SUITE_P(
    Table, LabelSelectorTest,
    testing::Values(SelectorCase{"", true}, SelectorCase{"app=web", true},
                    SelectorCase{"app==web", true}, SelectorCase{"app!=web", false},
                    SelectorCase{"none!=web", true}, SelectorCase{"app", true},
                    SelectorCase{"!app", false}, SelectorCase{"!none", true},
                    SelectorCase{"app in (web,db)", true}, SelectorCase{"app in (db)", false},
                    SelectorCase{"app notin (db)", true}, SelectorCase{"none notin (db)", true},
                    SelectorCase{"app=web,tier=front", true},
                    SelectorCase{"app=web, tier!=front", false}, SelectorCase{"n>4", true},
                    SelectorCase{"n<5", false}, SelectorCase{"app>1", false},
                    SelectorCase{"empty=", true}, SelectorCase{"app=", false},
                    SelectorCase{"empty in ()", true}, SelectorCase{" app  in ( web ) ", true}));

TEST(LabelSelectorTest, RefusesWhatIsNone) {
  for (const char* text : {"app=web=x", "a b", "=x", "app in web", "app in (a", "app,,tier",
                           "a/b/c=d", "app=a b", "n>x", "app=web,", "app=$", "!app=x"}) {
    EXPECT_FALSE(LabelSelector::Parse(text)) << text;
  }
}

TEST(FieldSelectorTest, MatchesPathsOfTheTable) {
  const std::vector<std::string> fields = {"status.phase", "spec.unschedulable"};
  const Json object =
      Json::parse(R"({"metadata":{"name":"x","namespace":"d"},"status":{"phase":"Running"}})");
  for (const SelectorCase& c :
       {SelectorCase{"metadata.name=x", true}, SelectorCase{"metadata.name=y", false},
        SelectorCase{"metadata.name!=y,status.phase==Running", true}, SelectorCase{"", true},
        SelectorCase{"spec.unschedulable=false", true}}) {
    const auto selector = FieldSelector::Parse(c.selector, fields);
    ASSERT_TRUE(selector);
    EXPECT_EQ(selector->Matches(object), c.want) << c.selector;
  }
  EXPECT_EQ(FieldSelector::Parse("metadata.name=x", fields)->Name(), "x");
  EXPECT_EQ(FieldSelector::Parse("spec.foo=x", fields).error().message,
            "field label not supported: spec.foo");
  EXPECT_FALSE(FieldSelector::Parse("nonsense", fields));
}

TEST(DiffTest, NamesEachValueThatDiffers) {
  const auto spec = [](const char* before, const char* after) {
    return DiffText(Json::parse(before), Json::parse(after), kRevisionSpecRoot);
  };
  EXPECT_EQ(spec("{}", "{}"), "");
  EXPECT_EQ(spec(R"({"containers":[{"image":"a"}]})", R"({"containers":[{"image":"b"}]})"),
            "{v1.RevisionSpec}.PodSpec.Containers[0].Image:\n\t-: \"a\"\n\t+: \"b\"\n");
  EXPECT_EQ(spec(R"({"containerConcurrency":2})", R"({"containerConcurrency":1})"),
            "*{v1.RevisionSpec}.ContainerConcurrency:\n\t-: \"2\"\n\t+: \"1\"\n");
  EXPECT_EQ(spec("{}", R"({"serviceAccountName":"foobar"})"),
            "{v1.RevisionSpec}.PodSpec.ServiceAccountName:\n\t-: \"\"\n\t+: \"foobar\"\n");
  EXPECT_EQ(
      DiffText(
          Json::parse(
              R"({"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"livenessProbe":{"httpGet":{"path":"/"}}}]}})"),
          Json::parse(
              R"({"metadata":{"labels":{"a":"c"}},"spec":{"containers":[{"livenessProbe":{"httpGet":{"path":"/x"}}},7]}})"),
          kRevisionTemplateRoot),
      "{*v1.RevisionTemplateSpec}.ObjectMeta.Labels[\"a\"]:\n\t-: \"b\"\n\t+: \"c\"\n"
      "{*v1.RevisionTemplateSpec}.Spec.PodSpec.Containers[0].LivenessProbe.ProbeHandler.HTTPGet."
      "Path:\n\t-: \"/\"\n\t+: \"/x\"\n"
      "{*v1.RevisionTemplateSpec}.Spec.PodSpec.Containers[1]:\n\t+: \"7\"\n");
}

}  // namespace
}  // namespace updraft::api

#include "cli/replay/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace updraft::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ReplayTest : public testing::Test {
 protected:
  ReplayTest() : folder_(testing::TempDir() + "replay_test." + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_);
    options_.file = "input";
  }
  ~ReplayTest() override { std::filesystem::remove_all(folder_); }

  // What is printed, or "error: ..." as the last line.
  std::string Answer(const std::string& input) {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const Status status = Replay(options_, in, out, err);
    warnings_ = err.str();
    return status ? out.str() : out.str() + "error: " + status.error().message;
  }

  std::string Manifest(const std::string& name, const std::string& annotations,
                       int concurrency = 10) {
    const std::string path = folder_ + "/" + name + ".yaml";
    std::ofstream(path)
        << "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: s}\nspec:\n"
           "  template:\n    metadata:\n      annotations: {"
        << annotations << "}\n    spec:\n      containerConcurrency: " << concurrency
        << "\n      containers: [{image: a/b}]\n";
    return path;
  }

  const std::string folder_;
  ReplayOptions options_;
  std::string warnings_;
};

constexpr char kDecider[] =
    R"({"decider":{"metric":"concurrency","target":10,"total":10,"targetBurstCapacity":211,"panicThreshold":2,)"
    R"("maxScaleUpRate":1000,"maxScaleDownRate":2,"stableWindow":60,"scaleDownDelay":0,"activationScale":0,)"
    R"("reachable":true}})";

TEST_F(ReplayTest, ObservationsAreAnsweredLineByLine) {
  // ceil(21 / 10) = 3, EBC floor(3 * 10 - 211 - 21); then ceil(60 / 10) = 6, 6 / 3 >= 2: panic;
  // floor(30 - 271).
  EXPECT_EQ(Answer(std::string(kDecider) + "\n" +
                   R"({"at":2,"ready":3,"stable":21,"panic":21})"
                   "\n"
                   R"({"at":4.5,"ready":3,"stable":21,"panic":60})"
                   "\n"),
            R"({"at":2,"desired":3,"excessBurstCapacity":-202,"panic":false,"valid":true})"
            "\n"
            R"({"at":4.5,"desired":6,"excessBurstCapacity":-241,"panic":true,"valid":true})"
            "\n");
  EXPECT_EQ(warnings_, "");
}

TEST_F(ReplayTest, AnyKeyMayChangeLater) {
  EXPECT_EQ(Answer(std::string(kDecider) + "\n" +
                   R"({"at":2,"ready":9,"stable":0,"panic":0})"
                   "\n"
                   R"({"decider":{"reachable":false,"targetBurstCapacity":-1}})"
                   "\n"
                   R"({"at":4,"ready":9,"stable":0,"panic":0})"
                   "\n"
                   R"({"decider":{"target":5}})"
                   "\n"
                   R"({"at":6,"ready":9,"stable":20,"panic":0})"
                   "\n"),
            R"({"at":2,"desired":4,"excessBurstCapacity":-121,"panic":false,"valid":true})"
            "\n"
            R"({"at":4,"desired":0,"excessBurstCapacity":-1,"panic":false,"valid":true})"
            "\n"
            R"({"at":6,"desired":4,"excessBurstCapacity":-1,"panic":false,"valid":true})"
            "\n");
}

TEST_F(ReplayTest, ADeciderThatIsBornWithSeveralReadyBeginsInPanic) {
  const std::string decider =
      R"({"decider":{"target":10,"total":10,"stableWindow":60,"startReady":6}})";
  EXPECT_EQ(Answer(decider + "\n"
                             R"({"at":60,"ready":6,"stable":0,"panic":0})"
                             "\n"
                             R"({"at":62,"ready":6,"stable":0,"panic":0})"
                             "\n"),
            R"({"at":60,"desired":6,"excessBurstCapacity":-151,"panic":true,"valid":true})"
            "\n"
            R"({"at":62,"desired":3,"excessBurstCapacity":-151,"panic":false,"valid":true})"
            "\n");
  // Its panic of birth has ended when the first observation comes after a stable window.
  EXPECT_THAT(Answer(decider + "\n"
                               R"({"at":61,"ready":6,"stable":0,"panic":0})"
                               "\n"),
              HasSubstr(R"("desired":3,"excessBurstCapacity":-151,"panic":false)"));
  // On another clock it is born with its first observation.
  EXPECT_THAT(Answer(decider + "\n"
                               R"({"at":1700000000,"ready":6,"stable":0,"panic":0})"
                               "\n"),
              HasSubstr("\"desired\":6"));
}

std::string Contents(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// See the README there.
TEST_F(ReplayTest, WhatKnativesOwnAutoscalerDecidedIsDecided) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(UPDRAFT_OBSERVATIONS)) {
    if (entry.path().extension() != ".jsonl") continue;
    const std::string want = Contents(std::filesystem::path(entry.path()).replace_extension("expected"));
    ASSERT_FALSE(want.empty()) << entry.path();
    EXPECT_EQ(Answer(Contents(entry.path())), want) << entry.path();
    EXPECT_EQ(warnings_, "");
    ++files;
  }
  EXPECT_GE(files, 7);
}

// Two answers that differ in the last line's: 21 of 10 each are three, of 5 each five.
TEST_F(ReplayTest, KeysOfTheDeciderMayStandBesideFigures) {
  const std::string lines = R"({"at":2,"ready":3,"stable":21,"panic":21})"
                            "\n";
  const std::string five = R"({"at":4,"desired":5,"excessBurstCapacity":-1,"panic":false,"valid":true})";
  for (const std::string last :
       {R"({"decider":{"target":5,"targetBurstCapacity":-1},"at":4,"ready":3,"stable":21,"panic":21})",
        R"({"at":4,"ready":3,"stable":21,"panic":21,"target":5,"targetBurstCapacity":-1})",
        "{\"target\":5}\n{\"at\":4,\"ready\":3,\"stable\":21,\"panic\":21,\"targetBurstCapacity\":-1}"}) {
    EXPECT_THAT(Answer(std::string(kDecider) + "\n" + lines + last), testing::EndsWith(five + "\n")) << last;
    EXPECT_EQ(warnings_, "");
  }
}

TEST_F(ReplayTest, StartReadyMayStandBesideTheDecider) {
  // Born with six in panic: the count is kept.
  EXPECT_THAT(Answer(R"({"decider":{"target":10,"total":10},"startReady":6})"
                     "\n"
                     R"({"at":2,"ready":6,"stable":0,"panic":0})"),
              HasSubstr(R"("desired":6,"excessBurstCapacity":-151,"panic":true)"));
}

TEST_F(ReplayTest, LinesMayEndAsOnWindowsAndCountsMayBeWrittenAsFractions) {
  EXPECT_EQ(Answer(std::string(kDecider) + "\r\n\r\n" + R"({"at":2.0,"ready":3.0,"stable":21,"panic":2.1e1})" + "\r\n"),
            R"({"at":2.0,"desired":3,"excessBurstCapacity":-202,"panic":false,"valid":true})"
            "\n");
}

TEST_F(ReplayTest, TimesAndDurationsMayBeAsLongAsTheyAreRead) {
  const std::string decider =
      R"({"decider":{"target":10,"total":10,"stableWindow":8e9,"scaleDownDelay":8e9,"startReady":2}})"
      "\n";
  EXPECT_THAT(Answer(decider + R"({"at":8.9e9,"ready":4,"stable":0,"panic":0})"), HasSubstr("\"desired\":2,"));
  EXPECT_THAT(Answer(decider + R"({"at":1e300,"ready":4,"stable":0,"panic":0})"),
              HasSubstr("input:2: \"at\" is to be seconds from 0"));
}

TEST_F(ReplayTest, WithoutDataAnAnswerIsNotValidAndNothingChanges) {
  EXPECT_EQ(Answer(std::string(kDecider) + "\n"
                                           R"({"at":2,"ready":1,"stable":null,"panic":null})"
                                           "\n"
                                           R"({"at":4,"ready":1})"
                                           "\n"),
            R"({"at":2,"desired":0,"excessBurstCapacity":0,"panic":false,"valid":false})"
            "\n"
            R"({"at":4,"desired":0,"excessBurstCapacity":0,"panic":false,"valid":false})"
            "\n");
}

TEST_F(ReplayTest, AScaleDownDelayIsOfTheBirth) {
  EXPECT_THAT(
      Answer(R"({"decider":{"target":10,"total":10,"scaleDownDelay":10}})"
             "\n"
             R"({"at":0,"ready":4,"stable":40,"panic":0})"
             "\n"
             R"({"at":8,"ready":4,"stable":20,"panic":0})"
             "\n"
             R"({"at":10,"ready":4,"stable":20,"panic":0})"
             "\n"),
      testing::AllOf(HasSubstr(R"("at":8,"desired":4)"), HasSubstr(R"("at":10,"desired":2)")));
}

TEST_F(ReplayTest, ADelayThatChangesBeforeTheFirstObservationIsStillTheFirstLines) {
  EXPECT_THAT(Answer(R"({"decider":{"target":10,"total":10,"scaleDownDelay":10}})"
                     "\n"
                     R"({"decider":{"scaleDownDelay":0}})"
                     "\n"
                     R"({"at":0,"ready":4,"stable":40,"panic":0})"
                     "\n"
                     R"({"at":8,"ready":4,"stable":20,"panic":0})"
                     "\n"),
              HasSubstr(R"("at":8,"desired":4)"));
}

TEST_F(ReplayTest, FaultsAreToldWithTheirLine) {
  const std::string decider(kDecider);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "input: nothing is in it"},
      {"x", "input:1: a JSON object is wanted"},
      {"[1]", "input:1: a JSON object is wanted"},
      {R"({"at":1,"ready":1,"stable":1,"panic":1})",
       "input:1: the first line is to be {\"decider\": {...}}"},
      {decider + "\n\n{\"at\":", "input:3: a JSON object is wanted"},
      {decider + "\n{\"ready\":1}", "input:2: \"at\" is missing"},
      {decider + "\n{\"at\":\"1\"}", "input:2: \"at\" is to be a number"},
      {decider + "\n{\"at\":-1}", "input:2: \"at\" is to be seconds from 0"},
      {decider + "\n{\"at\":1,\"ready\":1,\"stable\":true,\"panic\":0}", "input:2: \"stable\" is to be a number"},
      {decider + "\n{\"at\":1,\"ready\":2147483648}", "input:2: \"ready\" is to be a whole number from 0"},
      {R"({"startReady":1})", "input:1: the first line is to be {\"decider\": {...}}"},
      {R"({"decider":{"stableWindow":"60s"}})", "input:1: \"stableWindow\" is to be a number"},
      {decider + "\n{\"at\":1,\"ready\":1.5}", "input:2: \"ready\" is to be a whole number from 0"},
      {decider + "\n{\"at\":1,\"ready\":1,\"stable\":-1,\"panic\":0}",
       "input:2: \"stable\" and \"panic\" are to be at least 0"},
      {R"({"decider":{"target":0}})", "input:1: \"target\" is to be above 0"},
      {R"({"decider":{"metric":"cpu"}})", "input:1: \"metric\" is to be concurrency or rps"},
      {R"({"decider":{"reachable":1}})", "input:1: \"reachable\" is to be true or false"},
      {R"({"decider":{"targetBurstCapacity":-2}})",
       "input:1: \"targetBurstCapacity\" is to be at least 0, or -1"},
      {R"({"decider":3})", "input:1: \"decider\" is to be an object"},
      {R"({"at":1,"duration":-1})", "input:1: \"duration\" is to be seconds from 0"},
      {R"({"at":1,"duration":1})", "input: these are requests: --manifest FILE is wanted"}};
  for (const auto& [input, error] : cases) EXPECT_EQ(Answer(input), "error: " + error) << input;
  EXPECT_THAT(
      Answer(decider + "\n{\"at\":4,\"ready\":1,\"stable\":1,\"panic\":1}\n{\"at\":2,\"ready\":1}"),
      HasSubstr("error: input:3: \"at\" is before that of the line above"));
  EXPECT_THAT(Answer(decider + "\n{\"decider\":{\"startReady\":1}}"),
              HasSubstr("input:2: \"startReady\""));
}

TEST_F(ReplayTest, UnknownKeysAreTold) {
  Answer(R"({"decider":{"target":10,"targett":5}})"
         "\n");
  EXPECT_THAT(warnings_, HasSubstr("line 1: \"targett\" is not known"));
  Answer(std::string(kDecider) + "\n{\"at\":2,\"raedy\":1}\n{\"at\":4,\"raedy\":1}\n");
  EXPECT_EQ(warnings_, "line 2: \"raedy\" is not known\n");  // once
}

TEST_F(ReplayTest, RequestsAreAnsweredByFiguresOverTimeAndASum) {
  options_.manifests = {Manifest("service", "autoscaling.knative.dev/window: 6s")};
  options_.model.cold_start = Millis(500);
  const std::string out = Answer(R"({"at":0,"duration":1})"
                                 "\n"
                                 R"({"at":5,"duration":1})"
                                 "\n");
  EXPECT_THAT(
      out,
      StartsWith(
          R"({"at":10.0,"ready":1,"starting":0,"desired":1,"inFlight":0,"queue":0,"requests":2,"coldStarts":1,)"
          R"("p50":1.5,"p90":1.5,"p99":1.5,"instanceSeconds":10.0})"));
  EXPECT_THAT(
      out,
      HasSubstr(
          R"({"summary":"service","requests":2,"coldStarts":1,"starts":1,"instancesMax":1,"p50":1.5)"));
}

TEST_F(ReplayTest, TheSameInputGivesTheSameBytes) {
  std::string input;
  for (int i = 0; i < 500; ++i) {
    input += R"({"at":)" + std::to_string(i * 0.37) + R"(,"duration":)" +
             std::to_string(0.1 + (i % 7) * 0.3) + "}\n";
  }
  options_.manifests = {Manifest("service", "", 1)};
  options_.plot = folder_ + "/plot.svg";
  const auto picture = [this] {
    std::stringstream text;
    text << std::ifstream(options_.plot).rdbuf();
    return text.str();
  };
  const std::string first = Answer(input);
  const std::string first_picture = picture();
  EXPECT_EQ(Answer(input), first);
  EXPECT_EQ(picture(), first_picture);
  EXPECT_THAT(first_picture, StartsWith("<svg"));
}

TEST_F(ReplayTest, SeveralManifestsAreCompared) {
  options_.manifests = {Manifest("kept", "autoscaling.knative.dev/min-scale: \"1\""),
                        Manifest("plain", "")};
  options_.plot = folder_ + "/plot.svg";
  const std::string out = Answer(R"({"at":10,"duration":0.1})"
                                 "\n"
                                 R"({"at":700,"duration":0.1})"
                                 "\n");
  EXPECT_THAT(
      out,
      StartsWith(
          R"({"summary":"kept","requests":2,"coldStarts":1,)"));  // the first finds it starting
  EXPECT_THAT(out, HasSubstr(R"({"summary":"plain","requests":2,"coldStarts":2,)"));
  EXPECT_TRUE(std::filesystem::exists(options_.plot));
}

TEST_F(ReplayTest, AManifestIsValidatedAsOneThatIsApplied) {
  options_.manifests = {Manifest("bad", "autoscaling.knative.dev/window: 1s")};
  EXPECT_THAT(Answer(R"({"at":0,"duration":1})"), HasSubstr("expected 6s <= 1s <= 1h0m0s"));
  options_.manifests = {folder_ + "/absent.yaml"};
  EXPECT_THAT(Answer(R"({"at":0,"duration":1})"), HasSubstr("absent.yaml: cannot be read"));
}

TEST_F(ReplayTest, RevisionsOfOneInputAreIndependent) {
  options_.manifests = {Manifest("service", "autoscaling.knative.dev/window: 6s")};
  const std::string out = Answer(R"({"at":0,"duration":1,"revision":"a"})"
                                 "\n"
                                 R"({"at":2,"duration":1,"revision":"b"})"
                                 "\n"
                                 R"({"at":4,"duration":1,"revision":"a"})"
                                 "\n");
  EXPECT_THAT(out, HasSubstr(R"("requests":3,"coldStarts":2,"starts":2,)"));
}

}  // namespace
}  // namespace updraft::cli

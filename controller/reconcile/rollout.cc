#include "controller/reconcile/rollout.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

constexpr double kNanosPerSecond = 1e9;

int64_t Sum(const std::vector<RevisionShare>& revisions) {
  return std::accumulate(
      revisions.begin(), revisions.end(), int64_t{0},
      [](int64_t sum, const RevisionShare& revision) { return sum + revision.percent; });
}

// More goes to the newest revision, less is taken from the oldest.
void AdjustPercent(int64_t percent, ConfigurationRollout& rollout) {
  const int64_t more = percent - rollout.percent;
  rollout.percent = percent;
  std::vector<RevisionShare>& revisions = rollout.revisions;
  if (more > 0) revisions.back().percent += more;
  int64_t less = std::max<int64_t>(0, -more);
  auto kept = revisions.begin();
  while (kept != revisions.end() && less >= kept->percent) less -= (kept++)->percent;
  if (kept != revisions.end()) kept->percent -= less;
  revisions.erase(revisions.begin(), kept);
}

// What is due: a step's percent for the newest, taken from the second newest and on.
void TakeStep(ConfigurationRollout& rollout, int64_t now) {
  if (now < rollout.steps.next) return;
  std::vector<RevisionShare>& revisions = rollout.revisions;
  RevisionShare newest = std::move(revisions.back());
  revisions.pop_back();
  int64_t wanted = rollout.steps.percent;
  while (wanted > 0 && !revisions.empty() && revisions.back().percent <= wanted) {
    wanted -= revisions.back().percent;
    revisions.pop_back();
  }
  if (!revisions.empty()) revisions.back().percent -= wanted;
  newest.percent = rollout.percent - Sum(revisions);
  revisions.push_back(std::move(newest));
  if (revisions.size() == 1) {
    rollout.steps = {};
  } else {
    rollout.steps.next = now + rollout.steps.length;
  }
}

// One percent for the revision that is new, from the newest that has some.
ConfigurationRollout Begin(const ConfigurationRollout& goal, ConfigurationRollout previous,
                           int64_t now) {
  std::vector<RevisionShare>& revisions = previous.revisions;
  const auto giver = std::find_if(revisions.rbegin(), revisions.rend(),
                                  [](const RevisionShare& share) { return share.percent > 0; });
  if (giver != revisions.rend()) --giver->percent;
  std::erase_if(revisions, [](const RevisionShare& share) { return share.percent == 0; });
  revisions.push_back({goal.revisions.front().revision, 1});
  previous.steps = {.started = now};
  return previous;
}

ConfigurationRollout StepConfiguration(const ConfigurationRollout& goal,
                                       ConfigurationRollout previous, int64_t now) {
  // Of one percent nothing can be moved step by step.
  if (goal.percent <= 1 || previous.revisions.empty()) return goal;
  AdjustPercent(goal.percent, previous);
  if (previous.revisions.empty()) return goal;
  if (previous.revisions.back().revision != goal.revisions.front().revision)
    return Begin(goal, std::move(previous), now);
  if (previous.revisions.size() < 2) return goal;
  if (previous.steps.percent > 0) TakeStep(previous, now);
  return previous;
}

// Targets of one host, those of one revision as one.
std::vector<TrafficTarget> Consolidated(const std::vector<TrafficTarget>& targets,
                                        std::string_view tag) {
  std::vector<TrafficTarget> consolidated;
  for (const TrafficTarget& target : targets) {
    if (!tag.empty() && target.tag != tag) continue;
    const auto same = std::ranges::find(consolidated, target.revision, &TrafficTarget::revision);
    if (same == consolidated.end()) {
      consolidated.push_back(target);
    } else {
      same->percent += target.percent;
    }
  }
  if (consolidated.size() == 1) consolidated.front().percent = 100;
  return consolidated;
}

void AddShare(std::vector<RevisionShare>& shares, const RevisionShare& share) {
  if (share.percent == 0) return;
  const auto same = std::ranges::find(shares, share.revision, &RevisionShare::revision);
  if (same == shares.end()) {
    shares.push_back(share);
  } else {
    same->percent += share.percent;
  }
}

bool IsSound(const ConfigurationRollout& rollout) {
  const bool negative = std::ranges::any_of(
      rollout.revisions, [](const RevisionShare& share) { return share.percent < 0; });
  return !negative && !rollout.configuration.empty() && rollout.percent <= 100 &&
         rollout.steps.percent >= 0 && rollout.steps.percent <= rollout.percent &&
         rollout.steps.length >= 0 && Sum(rollout.revisions) == rollout.percent;
}

// ---- as JSON, with the names that Knative has for it on its Ingress

constexpr char kKept[] = "networking.internal.knative.dev/rollout";

ConfigurationRollout ReadConfiguration(const Json& json) {
  ConfigurationRollout rollout{.configuration = api::StringAt(json, {"configurationName"}),
                               .tag = api::StringAt(json, {"tag"}),
                               .percent = api::IntAt(json, {"percent"}),
                               .steps = {.started = api::IntAt(json, {"stepParams", "starttime"}),
                                         .next = api::IntAt(json, {"stepParams", "nextStepTime"}),
                                         .length = api::IntAt(json, {"stepParams", "stepDuration"}),
                                         .percent = api::IntAt(json, {"stepParams", "stepSize"})}};
  for (const Json& revision : api::ArrayAt(json, {"revisions"})) {
    rollout.revisions.push_back(
        {api::StringAt(revision, {"revisionName"}), api::IntAt(revision, {"percent"})});
  }
  return rollout;
}

Json WriteConfiguration(const ConfigurationRollout& rollout) {
  Json revisions = Json::array();
  for (const RevisionShare& share : rollout.revisions)
    revisions.push_back({{"revisionName", share.revision}, {"percent", share.percent}});
  Json json = {{"configurationName", rollout.configuration},
               {"percent", rollout.percent},
               {"revisions", std::move(revisions)}};
  if (!rollout.tag.empty()) json["tag"] = rollout.tag;
  json["stepParams"] = {{"starttime", rollout.steps.started},
                        {"nextStepTime", rollout.steps.next},
                        {"stepDuration", rollout.steps.length},
                        {"stepSize", rollout.steps.percent}};
  return json;
}

Json WriteTarget(const TrafficTarget& target) {
  Json json = {{"revisionName", target.revision}, {"percent", target.percent}};
  if (!target.tag.empty()) json["tag"] = target.tag;
  if (!target.configuration.empty()) json["configurationName"] = target.configuration;
  if (target.latest) json["latestRevision"] = *target.latest;
  return json;
}

}  // namespace

bool Rollout::Done() const {
  return std::ranges::all_of(configurations, [](const ConfigurationRollout& configuration) {
    return configuration.revisions.size() < 2;
  });
}

const ConfigurationRollout* Rollout::Find(std::string_view tag,
                                          std::string_view configuration) const {
  const auto found = std::ranges::find_if(configurations, [&](const ConfigurationRollout& rollout) {
    return rollout.tag == tag && rollout.configuration == configuration;
  });
  return found == configurations.end() ? nullptr : &*found;
}

Rollout RolloutGoal(const std::vector<TrafficTarget>& targets) {
  std::set<std::string> tags = {""};
  for (const TrafficTarget& target : targets) tags.insert(target.tag);
  Rollout goal;
  for (const std::string& tag : tags) {
    for (TrafficTarget& target : Consolidated(targets, tag)) {
      if (!target.latest.value_or(false) || target.percent == 0) continue;
      goal.configurations.push_back({.configuration = std::move(target.configuration),
                                     .tag = tag,
                                     .percent = target.percent,
                                     .revisions = {{target.revision, target.percent}}});
    }
  }
  std::ranges::stable_sort(goal.configurations, {}, [](const ConfigurationRollout& rollout) {
    return std::tie(rollout.tag, rollout.configuration);
  });
  return goal;
}

void ObserveRouted(Rollout& rollout, WallTime now, Nanos duration) {
  for (ConfigurationRollout& configuration : rollout.configurations) {
    RolloutSteps& steps = configuration.steps;
    if (steps.started == 0 || steps.length != 0) continue;
    // The first percent took this long; the others together get what is left of the duration.
    const double step = std::max(
        1.0, std::ceil(static_cast<double>(UnixNanos(now) - steps.started) / kNanosPerSecond));
    const double left =
        std::max(1.0, static_cast<double>(duration.count()) / kNanosPerSecond - step);
    const auto percent = static_cast<double>(configuration.percent - 1);
    const double count = std::min(percent, std::max(1.0, left / step));
    steps.length = static_cast<int64_t>(left / count * kNanosPerSecond);
    steps.percent = std::llround(percent / count);
    steps.next = UnixNanos(now) + steps.length;
  }
}

RolloutStep StepRollout(const Rollout& goal, Rollout previous, WallTime now) {
  RolloutStep step;
  for (const ConfigurationRollout& wanted : goal.configurations) {
    const ConfigurationRollout* before = previous.Find(wanted.tag, wanted.configuration);
    step.rollout.configurations.push_back(
        before == nullptr ? wanted : StepConfiguration(wanted, *before, UnixNanos(now)));
    const int64_t next = step.rollout.configurations.back().steps.next;
    if (next == 0) continue;
    step.next = std::min(step.next.value_or(FromUnixNanos(next)), FromUnixNanos(next));
  }
  return step;
}

void DropRevisions(Rollout& rollout, const ObjectsByName& there) {
  for (ConfigurationRollout& configuration : rollout.configurations) {
    std::erase_if(configuration.revisions, [&there](const RevisionShare& share) {
      const auto found = there.find(share.revision);
      return found == there.end() || api::IsBeingDeleted(*found->second);
    });
    if (configuration.revisions.empty()) continue;
    configuration.revisions.back().percent += configuration.percent - Sum(configuration.revisions);
  }
}

std::vector<RevisionShare> SharesOf(const std::vector<TrafficTarget>& targets, std::string_view tag,
                                    const Rollout& rollout) {
  std::vector<RevisionShare> shares;
  for (const TrafficTarget& target : Consolidated(targets, tag)) {
    const ConfigurationRollout* under_way =
        target.latest.value_or(false) ? rollout.Find(tag, target.configuration) : nullptr;
    if (under_way == nullptr || under_way->revisions.size() < 2) {
      AddShare(shares, {target.revision, target.percent});
      continue;
    }
    for (const RevisionShare& share : under_way->revisions) AddShare(shares, share);
  }
  return shares;
}

std::optional<KeptRollout> ReadRollout(const Json& route) {
  const Json* text = api::Find(route, {"status", "annotations", kKept});
  if (text == nullptr || !text->is_string()) return std::nullopt;
  const Json json = Json::parse(text->get_ref<const std::string&>(), nullptr, false);
  KeptRollout kept{.targets = ReadTraffic(api::ArrayAt(json, {"targets"}))};
  for (const Json& configuration : api::ArrayAt(json, {"configurations"})) {
    kept.rollout.configurations.push_back(ReadConfiguration(configuration));
    if (!IsSound(kept.rollout.configurations.back())) return std::nullopt;
  }
  if (kept.rollout.Done() || kept.targets.empty()) return std::nullopt;
  return kept;
}

void WriteRollout(const KeptRollout& kept, Json& status) {
  Json json = {{"configurations", Json::array()}, {"targets", Json::array()}};
  for (const ConfigurationRollout& configuration : kept.rollout.configurations)
    json["configurations"].push_back(WriteConfiguration(configuration));
  for (const TrafficTarget& target : kept.targets) json["targets"].push_back(WriteTarget(target));
  api::EnsureObject(status, {"annotations"})[kKept] = api::ToText(json);
}

void EraseRollout(Json& status) {
  api::Erase(status, {"annotations", kKept});
  if (api::ObjectAt(status, {"annotations"}).empty()) status.erase("annotations");
}

}  // namespace updraft::controller

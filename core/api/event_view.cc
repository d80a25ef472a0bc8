#include "core/api/event_view.h"

#include <utility>

namespace updraft::api {
namespace {

constexpr std::pair<const char*, const char*> kRenamed[] = {
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"reportingComponent", "reportingController"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"}};

void Rename(Json& event, const char* from, const char* to) {
  const auto found = event.find(from);
  if (found == event.end()) return;
  Json value = std::move(*found);
  event.erase(found);
  event[to] = std::move(value);
}

}  // namespace

Json EventFromStored(const Json& event) {
  Json view = event;
  view["apiVersion"] = "events.k8s.io/v1";
  for (const auto& [stored, shown] : kRenamed) Rename(view, stored, shown);
  return view;
}

Json EventToStored(const Json& event) {
  Json stored = event;
  stored["apiVersion"] = "v1";
  for (const auto& [kept, shown] : kRenamed) Rename(stored, shown, kept);
  return stored;
}

std::string EventSelectorToStored(std::string selector) {
  for (const auto& [stored, shown] : kRenamed) {
    for (size_t at = 0; (at = selector.find(shown, at)) != std::string::npos;) {
      const bool begins = at == 0 || selector[at - 1] == ',';
      if (begins) selector.replace(at, std::string(shown).size(), stored);
      at += begins ? std::string(stored).size() : 1;
    }
  }
  return selector;
}

}  // namespace updraft::api

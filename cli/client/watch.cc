#include "cli/client/watch.h"

#include <poll.h>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/read.h"

namespace updraft::cli {
namespace {

constexpr int kRetryMillis = 200;

std::string KeyOf(const Json& object) {
  return api::NamespaceOf(object) + "/" + api::NameOf(object);
}

struct Listing {
  ObjectsByName objects;
  std::string resource_version;
};

Result<Listing> ListObjects(RestClient& client, const WatchQuery& query) {
  Result<Json> answer = client.Call({.path = query.path, .query = query.selectors});
  if (!answer) return answer.error();
  Listing listing{.objects = {},
                  .resource_version = api::StringAt(*answer, {"metadata", "resourceVersion"})};
  for (const Json& item : api::ArrayAt(*answer, {"items"}))
    listing.objects.emplace(KeyOf(item), item);
  return listing;
}

// Cuts a stream into lines and applies them. Its members are what one watch has seen.
class EventReader {
 public:
  EventReader(ObjectsByName& objects, const Look& look) : objects_(objects), look_(look) {}

  // False: stop, see enough().
  bool OnBytes(std::string_view bytes) {
    pending_ += bytes;
    size_t begin = 0;
    bool changed = false;
    for (size_t end = 0; (end = pending_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const Result<api::Document> event =
          api::ReadJson(std::string_view(pending_).substr(begin, end - begin));
      if (!event || !ApplyWatchEvent(event->value, objects_)) return false;
      changed = true;
    }
    pending_.erase(0, begin);
    return !changed || OnLook();
  }
  bool OnLook() {
    enough_ = !look_(objects_);
    return !enough_;
  }
  bool enough() const { return enough_; }

 private:
  ObjectsByName& objects_;
  const Look& look_;
  std::string pending_;
  bool enough_ = false;
};

bool Passed(const std::optional<TimePoint>& deadline) {
  return deadline && RealClock().Now() >= *deadline;
}

}  // namespace

bool ApplyWatchEvent(const Json& event, ObjectsByName& objects) {
  const std::string type = api::StringAt(event, {"type"});
  const Json& object = api::ObjectAt(event, {"object"});
  if (type == "BOOKMARK") return true;
  if (type == "DELETED") {
    objects.erase(KeyOf(object));
    return true;
  }
  if (type != "ADDED" && type != "MODIFIED") return false;
  objects.insert_or_assign(KeyOf(object), object);
  return true;
}

Result<bool> WatchObjects(RestClient& client, const WatchQuery& query, const Look& look) {
  for (bool first = true; !Passed(query.deadline); first = false) {
    Result<Listing> listing = ListObjects(client, query);
    if (!listing && first) return listing.error();
    if (!listing) {
      poll(nullptr, 0, kRetryMillis);
      continue;
    }
    EventReader reader(listing->objects, look);
    if (!reader.OnLook()) return true;
    ApiRequest request{.path = query.path, .query = query.selectors};
    request.query.emplace_back("watch", "true");
    request.query.emplace_back("resourceVersion", listing->resource_version);
    const Status ended = client.Stream(
        request, {.on_bytes = [&reader](std::string_view bytes) { return reader.OnBytes(bytes); },
                  .on_tick = [&reader] { return reader.OnLook(); },
                  .tick = query.tick,
                  .deadline = query.deadline});
    if (reader.enough()) return true;
    (void)ended;  // whatever ended it, the next listing tells what there is
    poll(nullptr, 0, kRetryMillis);
  }
  return false;
}

}  // namespace updraft::cli

#include "controller/api_server/watch_pipe.h"

#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

// A client that lets this much wait is cut off; it lists again when it comes back.
constexpr size_t kTextMax = 16 << 20;

}  // namespace

WatchPipe::WatchPipe(Loop& loop, const Clock& clock, ObjectStore& store, Presentation how,
                     Selection selection)
    : clock_(clock),
      store_(store),
      how_(std::move(how)),
      selection_(std::move(selection)),
      signal_(loop) {}

WatchPipe::~WatchPipe() {
  if (watch_) store_.Unwatch(*watch_);
}

void WatchPipe::Open(std::string_view ns, const WatchStart& start) {
  bookmarked_ = start.after;
  if (start.initial_events) PushInitialEvents(ns, start.initial_bookmark);
  Result<ObjectStore::WatchId> watch =
      store_.Watch(how_.kind->StoreResource(), ns, start.after,
                   [this](const Change& change) { OnChange(change); });
  if (watch) {
    watch_ = *watch;
    return;
  }
  const ApiError error = Expired(watch.error().message);
  text_ += api::ToText(Json{{"type", "ERROR"}, {"object", ToStatus(error)}}) + "\n";
  ended_ = true;
}

void WatchPipe::PushInitialEvents(std::string_view ns, bool bookmark) {
  for (const std::shared_ptr<const Json>& object :
       store_.List(how_.kind->StoreResource(), ns).objects) {
    if (selection_.Matches(*object)) Push("ADDED", *object);
  }
  if (!bookmark) return;
  Json object = BookmarkObject();
  object["metadata"]["annotations"]["k8s.io/initial-events-end"] = "true";
  Push("BOOKMARK", object);
}

void WatchPipe::OnChange(const Change& change) {
  if (ended_) return;
  const std::optional<WatchEvent> event = Select(selection_, change);
  if (!event) return;
  Push(event->type, *event->object);
  signal_.Notify();
  if (text_.size() <= kTextMax) return;
  // No Unwatch here: the store is in the middle of telling.
  ended_ = true;
  text_.clear();
}

void WatchPipe::PushBookmark() {
  Push("BOOKMARK", BookmarkObject());
  bookmarked_ = store_.revision();
}

Json WatchPipe::BookmarkObject() const {
  Json object = Json::object();
  object["kind"] = how_.kind->kind;
  object["apiVersion"] = how_.kind->ApiVersion();
  object["metadata"] = Json::object();
  object["metadata"]["resourceVersion"] = std::to_string(store_.revision());
  object["metadata"]["creationTimestamp"] = nullptr;
  return object;
}

void WatchPipe::Push(std::string_view type, const Json& object) {
  how_.now = clock_.Wall();
  const bool whole = how_.format.shape == Format::Shape::kObject;
  text_ += "{\"type\":\"";
  text_ += type;
  text_ += "\",\"object\":";
  text_ += api::ToText(whole && !how_.kind->from_stored ? object : Present(how_, object, header_));
  text_ += "}\n";
  header_ = Header::kWithoutColumns;
}

std::string WatchPipe::Take() { return std::exchange(text_, {}); }

}  // namespace updraft::controller

#include "activator/routing/routing_state.h"

#include <algorithm>
#include <set>
#include <unordered_set>

namespace updraft::activator {
namespace {

std::shared_ptr<const InstanceSet> OpenOnes(std::vector<std::shared_ptr<Instance>> instances) {
  if (instances.empty()) return nullptr;
  std::ranges::sort(instances, {}, [](const auto& instance) { return std::string_view(instance->host_port()); });
  return std::make_shared<const InstanceSet>(InstanceSet{std::move(instances)});
}

// Null: there is none, or it is none; the controller has looked into what it sends.
std::shared_ptr<const http::Certificate> Parse(const CertificateUpdate& update) {
  if (update.chain.empty()) return nullptr;
  auto certificate = http::Certificate::FromPem(update.chain, update.key);
  return certificate ? *std::move(certificate) : nullptr;
}

bool SameAddress(const Instance& instance, const InstanceAddress& address) {
  return instance.ip() == address.ip && instance.port() == address.port;
}

}  // namespace

// What one update touches.
struct RoutingState::Batch {
  WallTime now;
  std::set<std::string> changed;  // revisions
  std::vector<Publication::Change> removed;
  std::set<std::string> slots;     // revisions whose slots may be too many
  std::set<std::string> more_slots;  // revisions that have got some
};

RoutingState::RoutingState(uint32_t worker_count) : worker_count_(worker_count) {}

Publication RoutingState::Apply(const RoutingUpdate& update, WallTime now) {
  ++edit_;
  Batch batch;
  batch.now = now;
  if (!update.sharing && slots_.shared()) UnshareSlots(batch);
  if (update.sharing && (!slots_.shared() || slots_.epoch() != update.sharing->epoch)) {
    if (slots_.shared()) UnshareSlots(batch);  // what would have said so was overtaken
    ShareSlots(update.sharing->epoch);
  }
  if (std::exchange(giving_up_, false) || update.full) {
    for (auto& [key, declared] : revisions_) {
      if (update.full) declared.share.reset();
      batch.slots.insert(key);
    }
  }
  if (update.full) RemoveUnnamed(update, batch);
  for (const RevisionSettings& settings : update.revisions) Declare(settings, batch);
  for (const EndpointsUpdate& endpoints : update.endpoints) SetEndpoints(endpoints, batch);
  for (const RouteUpdate& route : update.routes) SetRoute(route);
  for (const std::string& key : update.removed_routes) RemoveRoute(key);
  for (const std::string& key : update.removed_revisions) Remove(key, batch);
  if (update.sharing) SetSlots(*update.sharing, batch);

  Publication publication;
  publication.changes = std::move(batch.removed);
  for (const std::string& key : batch.changed) {
    const auto declared = revisions_.find(key);
    if (declared == revisions_.end()) continue;
    table_.revisions_.Set(key, declared->second.view, edit_);
    publication.changes.push_back({declared->second.revision, declared->second.view});
    for (const auto& [id, held] : declared->second.instances) {
      if (held.draining && held.instance->in_flight() == 0) publication.drained.push_back(id);
    }
  }
  for (const std::string& key : batch.more_slots) {
    const auto declared = revisions_.find(key);
    if (declared != revisions_.end()) publication.more_slots.push_back(declared->second.revision);
  }
  publication.table = std::make_shared<const RouteTable>(table_);
  return publication;
}

std::optional<std::string> RoutingState::OnDrained(const Instance* instance) {
  const auto left = leaving_.find(instance);
  if (left != leaving_.end()) {
    if (left->second->in_flight() > 0) return std::nullopt;
    const auto id = leaving_ids_.find(left->second->id());
    if (id != leaving_ids_.end() && id->second == instance) leaving_ids_.erase(id);
    if (slots_.shared()) slots_.GiveUpIdle(left->second->id());
    leaving_.erase(left);
    return std::nullopt;
  }
  const auto drains = draining_.find(instance);
  if (drains == draining_.end() || drains->second->in_flight() > 0) return std::nullopt;
  return drains->second->id();
}

void RoutingState::TakeLoadChanges(const std::string& revision, LoadChanges& changes) {
  const auto declared = revisions_.find(revision);
  if (declared == revisions_.end()) return;
  for (auto& [id, held] : declared->second.instances) {
    const uint32_t inside = held.instance->in_flight();
    if ((inside > 0) == held.told_busy) continue;
    held.told_busy = inside > 0;
    changes.emplace_back(id, inside);
  }
}

void RoutingState::ForgetLoads() {
  for (auto& [key, declared] : revisions_) {
    for (auto& [id, held] : declared.instances) held.told_busy = false;
  }
}

std::shared_ptr<Revision> RoutingState::FindRevision(const std::string& key) const {
  const auto declared = revisions_.find(key);
  return declared == revisions_.end() ? nullptr : declared->second.revision;
}

bool RoutingState::HasInstances(const std::string& revision) const {
  const auto declared = revisions_.find(revision);
  return declared != revisions_.end() && declared->second.view.instances != nullptr;
}

Instance* RoutingState::FindInstance(const std::string& revision, const std::string& id) {
  const auto declared = revisions_.find(revision);
  if (declared == revisions_.end()) return nullptr;
  const auto held = declared->second.instances.find(id);
  return held == declared->second.instances.end() ? nullptr : held->second.instance.get();
}

std::shared_ptr<Revision> RoutingState::RevisionOf(const std::string& key) {
  std::weak_ptr<Revision>& named = named_[key];
  std::shared_ptr<Revision> revision = named.lock();
  if (!revision) {
    revision = std::make_shared<Revision>(key, worker_count_);
    named = revision;
  }
  if (named_.size() >= sweep_at_) {
    std::erase_if(named_, [](const auto& item) { return item.second.expired(); });
    sweep_at_ = std::max<size_t>(1024, named_.size() * 2);
  }
  return revision;
}

void RoutingState::Declare(const RevisionSettings& settings, Batch& batch) {
  Declared& declared = revisions_[settings.key];
  if (!declared.revision) declared.revision = RevisionOf(settings.key);
  if (declared.view.settings && *declared.view.settings == settings) return;
  const uint32_t limit = declared.limit();
  declared.view.settings = std::make_shared<const RevisionSettings>(settings);
  batch.changed.insert(settings.key);
  if (slots_.shared() && declared.limit() != 0 && limit == 0) {
    declared.revision->slot_demand.store(Revision::SlotDemand::kArmed);
  }
  if (slots_.shared() || declared.limit() == limit) return;
  for (const auto& [id, held] : declared.instances) SetLimit(declared, held.instance);
}

void RoutingState::Remove(const std::string& key, Batch& batch) {
  const auto found = revisions_.find(key);
  if (found == revisions_.end()) return;
  for (auto& [id, held] : found->second.instances) Drop(held);
  found->second.revision->slots_over.store(0);
  found->second.revision->slot_demand.store(Revision::SlotDemand::kNone);
  batch.removed.push_back({found->second.revision, RevisionView{}});
  table_.revisions_.Erase(key, edit_);
  revisions_.erase(found);
}

void RoutingState::SetEndpoints(const EndpointsUpdate& update, Batch& batch) {
  const auto found = revisions_.find(update.revision);
  if (found == revisions_.end()) return;
  Declared& declared = found->second;
  for (const EndpointUpdate& endpoint : update.endpoints) SetEndpoint(declared, endpoint, batch.now);
  if (update.known) {
    std::unordered_set<std::string_view> listed;
    for (const EndpointUpdate& endpoint : update.endpoints) listed.insert(endpoint.address.id);
    for (auto item = declared.instances.begin(); item != declared.instances.end();) {
      if (listed.contains(item->first)) {
        ++item;
        continue;
      }
      Drop(item->second);
      item = declared.instances.erase(item);
    }
  }
  std::vector<std::shared_ptr<Instance>> open;
  for (const auto& [id, held] : declared.instances) {
    if (!held.draining) open.push_back(held.instance);
  }
  declared.view.instances = OpenOnes(std::move(open));
  batch.changed.insert(update.revision);
  batch.slots.insert(update.revision);
}

void RoutingState::SetEndpoint(Declared& declared, const EndpointUpdate& endpoint, WallTime now) {
  Held& held = declared.instances[endpoint.address.id];
  if (held.instance && !SameAddress(*held.instance, endpoint.address)) Drop(held);
  const bool is_new = !held.instance;
  if (!held.instance) held.instance = TakeBack(endpoint.address);
  if (!held.instance) {
    InstanceAddress address = endpoint.address;
    address.cold_start.routed_ns = UnixNanos(now);
    held.instance = std::make_shared<Instance>(std::move(address));
  }
  if (is_new) SetLimit(declared, held.instance);
  if (endpoint.draining && !held.draining) {
    held.instance->Close();
    draining_.emplace(held.instance.get(), held.instance);
  }
  if (!endpoint.draining && held.draining) {
    draining_.erase(held.instance.get());
    held.instance->Reopen();
  }
  held.draining = endpoint.draining;
}

// No longer listed. Kept while requests are inside.
void RoutingState::Drop(Held& held) {
  draining_.erase(held.instance.get());
  if (!held.instance->Close()) {
    leaving_ids_[held.instance->id()] = held.instance.get();
    leaving_.emplace(held.instance.get(), held.instance);
  }
  if (slots_.shared()) slots_.GiveUpIdle(held.instance->id());
  held = {};
}

// The instance that was unlisted and is listed again, as long as requests are inside or its slots are
// counted; else null.
std::shared_ptr<Instance> RoutingState::TakeBack(const InstanceAddress& address) {
  if (auto known = slots_.shared() ? slots_.Find(address.id) : nullptr; known && SameAddress(*known, address)) {
    leaving_.erase(known.get());
    const auto id = leaving_ids_.find(address.id);
    if (id != leaving_ids_.end() && id->second == known.get()) leaving_ids_.erase(id);
    known->Reopen();
    return known;
  }
  const auto id = leaving_ids_.find(address.id);
  if (id == leaving_ids_.end() || !SameAddress(*id->second, address)) return nullptr;
  auto left = leaving_.extract(id->second);
  leaving_ids_.erase(id);
  left.mapped()->Reopen();
  return std::move(left.mapped());
}

// ---- slots

// Of what is known all slots are ours, also of what is not listed any more and has requests inside.
void RoutingState::ShareSlots(int64_t epoch) {
  std::vector<std::shared_ptr<Instance>> known;
  for (const auto& [instance, held] : leaving_) {
    if (held->limited()) known.push_back(held);
  }
  for (const auto& [key, declared] : revisions_) {
    for (const auto& [id, held] : declared.instances) {
      if (held.instance->limited()) known.push_back(held.instance);
    }
    if (declared.limit() != 0) declared.revision->slot_demand.store(Revision::SlotDemand::kArmed);
  }
  slots_.Share(epoch, known);
  for (const auto& [instance, held] : leaving_) slots_.GiveUpIdle(held->id());
}

void RoutingState::UnshareSlots(Batch& batch) {
  slots_.Unshare();
  for (auto& [key, declared] : revisions_) {
    declared.share.reset();
    declared.revision->slots_over.store(0);
    declared.revision->slot_demand.store(Revision::SlotDemand::kNone);
    for (const auto& [id, held] : declared.instances) SetLimit(declared, held.instance);
    if (declared.revision->queued.load() > 0) batch.more_slots.insert(key);
  }
}

void RoutingState::SetSlots(const SharingUpdate& update, Batch& batch) {
  for (const RevisionSlotsUpdate& slots : update.revisions) {
    bool more = false;
    for (const auto& [id, granted] : slots.granted) more |= slots_.Grant(id, granted);
    if (more) batch.more_slots.insert(slots.revision);
    const auto found = revisions_.find(slots.revision);
    if (found == revisions_.end()) continue;
    found->second.share = slots.share;
    batch.slots.insert(slots.revision);
  }
  for (const std::string& id : update.forgotten) slots_.Forget(id);
  for (const std::string& key : batch.slots) {
    const auto found = revisions_.find(key);
    if (found != revisions_.end()) ComeDown(found->second);
  }
}

// What it is when it becomes known.
void RoutingState::SetLimit(const Declared& declared, const std::shared_ptr<Instance>& instance) {
  if (declared.limit() == 0) return;
  if (slots_.shared()) {
    slots_.Set(instance);
  } else {
    instance->SetLimit(declared.limit());
  }
}

// To its share: with what is idle at once, with the rest as requests end. What is to be given back is said
// before it is looked for: a request that ends meanwhile sees it and says so (Dispatcher::Return).
void RoutingState::ComeDown(Declared& declared) {
  std::atomic<uint32_t>& over = declared.revision->slots_over;
  uint32_t left = 0;
  if (declared.share) {
    uint32_t held = 0;
    for (const auto& [id, one] : declared.instances) held += one.draining ? 0 : one.instance->limit();
    left = held > *declared.share ? held - *declared.share : 0;
  }
  over.store(left, std::memory_order_seq_cst);
  for (const auto& [id, one] : declared.instances) {
    if (one.draining) continue;
    const uint32_t given = left == 0 ? 0 : one.instance->GiveUpIdle(over.load(std::memory_order_seq_cst));
    for (uint32_t i = 0; i < given; ++i) declared.revision->TakeSlotOver();
    slots_.Look(id);
  }
}

void RoutingState::LookForSlots(const std::string& revision) {
  const auto found = revisions_.find(revision);
  if (found == revisions_.end() || !slots_.shared()) return;
  if (!giving_up_) return ComeDown(found->second);
  for (const auto& [id, held] : found->second.instances) slots_.GiveUpIdle(id);
}

void RoutingState::GiveUpSlots() {
  if (!slots_.shared()) return;
  giving_up_ = true;
  for (const auto& [key, declared] : revisions_) {
    if (declared.limit() != 0) declared.revision->slots_over.store(Revision::kAllSlots);
  }
  slots_.GiveUpAllIdle();
}

void RoutingState::SetRoute(const RouteUpdate& update) {
  const auto found = routes_.find(update.key);
  if (found != routes_.end() && found->second.said == update) return;
  std::shared_ptr<const RouteEntry> entry = MakeRoute(update);
  RemoveRoute(update.key);
  // The table owns a rule through its whole entry.
  for (const auto& rule : entry->hosts) {
    table_.hosts_.Set(rule->host, std::shared_ptr<const HostRule>(entry, rule.get()), edit_);
  }
  if (entry->certificate != nullptr) certified_[update.key] = entry;
  routes_[update.key] = {update, std::move(entry)};
}

std::shared_ptr<const RouteEntry> RoutingState::MakeRoute(const RouteUpdate& update) {
  auto entry = std::make_shared<RouteEntry>();
  entry->key = update.key;
  entry->https_only = update.https_only;
  entry->certificate = Parse(update.certificate);
  for (const HostUpdate& host : update.hosts) {
    auto rule = std::make_unique<HostRule>();
    rule->host = std::string(HostName(host.host).view());
    rule->tag = host.tag;
    entry->has_tags |= !host.tag.empty();
    rule->cluster_local = host.cluster_local;
    rule->route = entry.get();
    uint32_t upto = 0;
    for (const SplitUpdate& split : host.splits) {
      if (split.percent == 0) continue;
      upto += split.percent;
      rule->splits.push_back({RevisionOf(split.revision), upto});
    }
    if (const auto* before = table_.hosts_.Find(rule->host)) rule->GoOnFrom(**before);
    entry->hosts.push_back(std::move(rule));
  }
  return entry;
}

void RoutingState::RemoveRoute(const std::string& key) {
  const auto found = routes_.find(key);
  if (found == routes_.end()) return;
  for (const auto& rule : found->second.entry->hosts) {
    // Another route may have taken the host over.
    const auto* current = table_.hosts_.Find(rule->host);
    if (current != nullptr && (*current)->route == found->second.entry.get()) {
      table_.hosts_.Erase(rule->host, edit_);
    }
  }
  certified_.erase(key);
  routes_.erase(found);
}

void RoutingState::RemoveUnnamed(const RoutingUpdate& full, Batch& batch) {
  std::unordered_set<std::string_view> routes;
  std::unordered_set<std::string_view> revisions;
  std::unordered_set<std::string_view> endpoints;
  for (const RouteUpdate& route : full.routes) routes.insert(route.key);
  for (const RevisionSettings& settings : full.revisions) revisions.insert(settings.key);
  for (const EndpointsUpdate& of : full.endpoints) endpoints.insert(of.revision);

  std::vector<std::string> gone;
  for (const auto& [key, held] : routes_) {
    if (!routes.contains(key)) gone.push_back(key);
  }
  for (const std::string& key : gone) RemoveRoute(key);
  gone.clear();
  for (const auto& [key, declared] : revisions_) {
    if (!revisions.contains(key)) gone.push_back(key);
  }
  for (const std::string& key : gone) Remove(key, batch);
  // Nothing said about endpoints in a full state: there are none.
  gone.clear();
  for (const auto& [key, declared] : revisions_) {
    if (!endpoints.contains(key) && !declared.instances.empty()) gone.push_back(key);
  }
  for (const std::string& key : gone) SetEndpoints({.revision = key, .known = true, .endpoints = {}}, batch);
}

}  // namespace updraft::activator

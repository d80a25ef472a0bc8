#include "node-agent/network/network_pool.h"

#include <algorithm>

#include "core/base/log.h"
#include "node-agent/network/egress.h"
#include "node-agent/network/netns.h"

namespace updraft::node_agent {
namespace {

// Removal costs a grace period of the kernel, however many go: gather some, but not for long.
constexpr size_t kRemovedAtOnce = 32;
constexpr Nanos kRemovalDelay = Seconds(1);
constexpr Nanos kBuildRetryDelay = Millis(500);

Result<BridgeFacts> MakeBridge(NetlinkSocket& socket, const NetworkPool::Options& options) {
  const auto subnet = ParseSubnet(options.subnet);
  if (!subnet) return subnet.error();
  const uint32_t mtu = UplinkMtu(socket);
  const auto link = EnsureBridge(socket, {.name = options.bridge, .subnet = *subnet, .mtu = mtu});
  if (!link) return link.error();
  return BridgeFacts{.name = options.bridge, .index = link->index, .subnet = *subnet, .mtu = mtu};
}

}  // namespace

Result<std::unique_ptr<NetworkPool>> NetworkPool::Start(Loop& loop, const Options& options) {
  auto socket = NetlinkSocket::Open();
  if (!socket) return socket.error();
  const auto bridge = MakeBridge(*socket, options);
  if (!bridge) return bridge.error();
  const NamespaceFolder folder(options.run);
  if (Status made = folder.Create(); !made) return made.error();
  const Status egress =
      OpenEgress({.bridge = options.bridge, .subnet = bridge->subnet, .run = options.run});
  if (!egress) Log(Level::kError, "egress_unavailable", {{"error", egress.error().message}});

  std::unique_ptr<NetworkPool> pool(
      new NetworkPool(loop, options, folder, NamespaceBuilder(std::move(*socket), *bridge, folder),
                      AddressPool(bridge->subnet)));
  if (Status taken = pool->TakeOver(); !taken) return taken.error();
  NetworkPool* raw = pool.get();
  pool->worker_ = std::make_unique<NamedThread>("network", [raw] { raw->Run(); });
  return pool;
}

NetworkPool::NetworkPool(Loop& loop, const Options& options, const NamespaceFolder& folder,
                         NamespaceBuilder builder, AddressPool addresses)
    : loop_(loop),
      ready_count_(options.ready_count),
      folder_(folder),
      bridge_(builder.bridge()),
      builder_(std::move(builder)),
      addresses_(std::move(addresses)) {}

NetworkPool::~NetworkPool() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  worker_.reset();
  released_.insert(released_.end(), ready_.begin(), ready_.end());
  if (!released_.empty()) builder_.Remove(released_);
}

// What is claimed and whole is kept; all else is removed: building anew is cheaper than checking.
Status NetworkPool::TakeOver() {
  const auto contents = folder_.Read();
  if (!contents) return contents.error();
  const auto connected = builder_.Connected();
  if (!connected) return connected.error();
  std::set<Ipv4> leftover(connected->begin(), connected->end());
  const std::set<Ipv4> whole = leftover;
  leftover.insert(contents->addresses.begin(), contents->addresses.end());
  for (const auto& [instance, address] : contents->claims) {
    if (whole.count(address) > 0 && IsNamespace(folder_.PathOf(address)) &&
        addresses_.Mark(address)) {
      claims_.emplace(instance, address);
      not_adopted_.insert(instance);
      leftover.erase(address);
    } else {
      folder_.Unclaim(instance);
    }
  }
  for (const Ipv4 address : leftover) {
    addresses_.Mark(address);
    released_.push_back(address);
  }
  if (!released_.empty()) released_since_ = RealClock().Now();
  Log(Level::kInfo, "networks_found",
      {{"bridge", bridge_.name}, {"claimed", claims_.size()}, {"leftover", leftover.size()}});
  return Ok();
}

ClaimedNetwork NetworkPool::Describe(Ipv4 address) const {
  return {.namespace_path = folder_.PathOf(address),
          .address = ToString(address),
          .gateway = ToString(bridge_.subnet.Gateway()),
          .prefix_bits = bridge_.subnet.prefix_bits,
          .mtu = bridge_.mtu};
}

void NetworkPool::Claim(const std::string& instance, Done done) {
  if (!IsInstanceName(instance)) {
    return done(Error{Code::kInvalidArgument, "\"" + instance + "\" is no instance's name"});
  }
  Result<ClaimedNetwork> claimed = Error{};
  {
    const std::lock_guard lock(mutex_);
    if (const auto own = claims_.find(instance); own != claims_.end()) {
      not_adopted_.erase(instance);
      claimed = Describe(own->second);
    } else if (ready_.empty()) {
      waiting_.push_back({.instance = instance, .done = std::move(done)});
      wake_.notify_all();
      return;
    } else {
      const Ipv4 address = ready_.front();
      if (Status linked = folder_.Claim(instance, address); !linked) {
        claimed = linked.error();
      } else {
        ready_.pop_front();
        claims_.emplace(instance, address);
        claimed = Describe(address);
        wake_.notify_all();
      }
    }
  }
  done(std::move(claimed));
}

std::optional<ClaimedNetwork> NetworkPool::Find(const std::string& instance) const {
  const std::lock_guard lock(mutex_);
  const auto it = claims_.find(instance);
  if (it == claims_.end()) return std::nullopt;
  return Describe(it->second);
}

std::vector<std::string> NetworkPool::Claims() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> instances;
  for (const auto& [instance, address] : claims_) instances.push_back(instance);
  return instances;
}

void NetworkPool::Adopt(const std::string& instance) {
  const std::lock_guard lock(mutex_);
  not_adopted_.erase(instance);
}

void NetworkPool::AdoptionIsOver() {
  const std::lock_guard lock(mutex_);
  for (const std::string& instance : std::exchange(not_adopted_, {})) ReleaseLocked(instance);
}

void NetworkPool::Release(const std::string& instance) {
  const std::lock_guard lock(mutex_);
  ReleaseLocked(instance);
}

void NetworkPool::ReleaseLocked(const std::string& instance) {
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.instance == instance; });
  const auto it = claims_.find(instance);
  if (it == claims_.end()) return;
  folder_.Unclaim(instance);
  released_.push_back(it->second);
  if (!released_since_.has_value()) released_since_ = RealClock().Now();
  claims_.erase(it);
  not_adopted_.erase(instance);
  wake_.notify_all();
}

size_t NetworkPool::ready_count() const {
  const std::lock_guard lock(mutex_);
  return ready_.size();
}

void NetworkPool::Run() {
  while (true) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      work = NextWork(lock);
    }
    if (work.kind == Work::Kind::kStop) return;
    if (work.kind == Work::Kind::kBuild) BuildOne();
    if (work.kind == Work::Kind::kRemove) RemoveSome(work.remove);
  }
}

// Whoever waits comes first, then removals that are due, then the pool: it can only be empty while
// somebody waits.
NetworkPool::Work NetworkPool::NextWork(std::unique_lock<std::mutex>& lock) {
  while (true) {
    if (stopping_) return {.kind = Work::Kind::kStop, .remove = {}};
    const TimePoint now = RealClock().Now();
    if (build_again_at_.has_value() && *build_again_at_ <= now) build_again_at_.reset();
    const bool may_build = !build_again_at_.has_value();
    if (may_build && !waiting_.empty()) return {.kind = Work::Kind::kBuild, .remove = {}};
    const bool due = !released_.empty() && (released_.size() >= kRemovedAtOnce ||
                                            now >= *released_since_ + kRemovalDelay);
    if (due) {
      released_since_.reset();
      return {.kind = Work::Kind::kRemove, .remove = std::exchange(released_, {})};
    }
    if (may_build && ready_.size() < ready_count_ && addresses_.free_count() > 0) {
      return {.kind = Work::Kind::kBuild, .remove = {}};
    }
    std::optional<TimePoint> until = build_again_at_;
    if (!released_.empty()) {
      const TimePoint removal = *released_since_ + kRemovalDelay;
      until = until.has_value() ? std::min(*until, removal) : removal;
    }
    if (until.has_value()) {
      wake_.wait_for(lock, *until - now);
    } else {
      wake_.wait(lock);
    }
  }
}

void NetworkPool::BuildOne() {
  Result<Ipv4> address = Error{};
  {
    const std::lock_guard lock(mutex_);
    address = addresses_.Take();
  }
  Status built = address ? builder_.Build(*address) : Status(address.error());
  if (built) return Deliver(*address);

  Log(Level::kError, "network_not_made", {{"error", built.error().message}});
  const std::lock_guard lock(mutex_);
  if (address) {
    // Through removal, so that nothing of it is in the way of its next use.
    released_.push_back(*address);
    if (!released_since_.has_value()) released_since_ = RealClock().Now();
  }
  build_again_at_ = RealClock().Now() + kBuildRetryDelay;
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    loop_.Post([alive = alive_, done = std::move(waiting.done), error = built.error()] {
      if (*alive) done(error);
    });
  }
}

void NetworkPool::Deliver(Ipv4 address) {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    ready_.push_back(address);
    return;
  }
  Waiting waiting = std::move(waiting_.front());
  waiting_.pop_front();
  Result<ClaimedNetwork> claimed = Describe(address);
  if (Status linked = folder_.Claim(waiting.instance, address); !linked) {
    ready_.push_back(address);
    claimed = linked.error();
  } else {
    claims_.emplace(waiting.instance, address);
  }
  // A claim that was undone before the loop comes to it has been released, and its answer is
  // dropped.
  loop_.Post([this, alive = alive_, instance = waiting.instance, done = std::move(waiting.done),
              claimed = std::move(claimed)] {
    if (!*alive) return;
    if (claimed && !Find(instance).has_value()) return;
    done(claimed);
  });
}

void NetworkPool::RemoveSome(const std::vector<Ipv4>& addresses) {
  const std::vector<Ipv4> gone = builder_.Remove(addresses);
  const std::lock_guard lock(mutex_);
  for (const Ipv4 address : addresses) {
    if (std::ranges::find(gone, address) != gone.end()) {
      addresses_.Free(address);
    } else {
      released_.push_back(address);
    }
  }
  if (!released_.empty() && !released_since_.has_value()) released_since_ = RealClock().Now();
}

}  // namespace updraft::node_agent

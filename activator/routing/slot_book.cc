#include "activator/routing/slot_book.h"

#include <limits>

namespace updraft::activator {
namespace {

constexpr uint32_t kAll = std::numeric_limits<uint32_t>::max();

}  // namespace

void SlotBook::Share(int64_t epoch, const std::vector<std::shared_ptr<Instance>>& known) {
  shared_ = true;
  epoch_ = epoch;
  records_.clear();
  untold_.clear();
  for (const auto& instance : known) {
    records_[instance->id()] = {.instance = instance, .granted = instance->limit()};
  }
}

void SlotBook::Unshare() {
  shared_ = false;
  records_.clear();
  untold_.clear();
}

SlotBook::Counts SlotBook::Held() {
  epoch_ = 0;
  untold_.clear();
  Counts held;
  for (auto item = records_.begin(); item != records_.end();) {
    Record& record = item->second;
    record.granted = record.Left();
    record.returned = 0;
    const bool used = record.instance && record.instance.use_count() > 1;
    if (record.granted == 0 && !used) {
      item = records_.erase(item);
      continue;
    }
    if (record.granted > 0) held.emplace_back(item->first, record.granted);
    ++item;
  }
  return held;
}

std::shared_ptr<Instance> SlotBook::Find(const std::string& id) const {
  const auto found = records_.find(id);
  return found == records_.end() ? nullptr : found->second.instance;
}

void SlotBook::Set(const std::shared_ptr<Instance>& instance) {
  Record& record = records_[instance->id()];
  if (record.instance == instance) return;
  Look(instance->id(), record);
  instance->SetLimit(record.Left());
  record.instance = instance;
}

bool SlotBook::Grant(const std::string& id, uint32_t granted) {
  Record& record = records_[id];
  if (granted <= record.granted) return false;
  if (record.instance) record.instance->AddSlots(granted - record.granted);
  record.granted = granted;
  return true;
}

void SlotBook::GiveUpIdle(const std::string& id) {
  const auto found = records_.find(id);
  if (found == records_.end() || !found->second.instance) return;
  found->second.instance->GiveUpIdle(kAll);
  Look(id, found->second);
}

void SlotBook::GiveUpAllIdle() {
  for (auto& [id, record] : records_) {
    if (!record.instance) continue;
    record.instance->GiveUpIdle(kAll);
    Look(id, record);
  }
}

void SlotBook::Forget(const std::string& id) {
  records_.erase(id);
  untold_.erase(id);
}

void SlotBook::Look(const std::string& id) {
  const auto found = records_.find(id);
  if (found != records_.end()) Look(id, found->second);
}

void SlotBook::Look(const std::string& id, Record& record) {
  const uint32_t returned = record.granted - record.Left();
  if (returned == record.returned) return;
  record.returned = returned;
  untold_[id] = returned;
}

SlotBook::Counts SlotBook::TakeReturned() {
  Counts returned(untold_.begin(), untold_.end());
  untold_.clear();
  return returned;
}

}  // namespace updraft::activator

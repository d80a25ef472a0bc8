// A map from strings of which a copy costs nothing: copies share what they have in common (a hash
// array mapped trie, 32 ways). A change costs the path to it, about log32(n) small nodes. Pure; a
// copy that nobody changes may be read by any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace updraft::activator {

// Names a batch of changes: nodes made in it are changed in place until it ends. Never use a number
// again after a copy of the map was handed out.
using EditId = uint64_t;

template <typename Value, typename Hash = std::hash<std::string_view>>
class PersistentMap {
 public:
  // Null: not there. Valid as long as this map, or a copy that has not changed there.
  const Value* Find(std::string_view key) const {
    const uint64_t hash = Hash()(key);
    const Node* node = root_.get();
    for (unsigned shift = 0; node != nullptr; shift += kBits) {
      const uint32_t bit = BitOf(hash, shift);
      if ((node->occupied & bit) == 0) return nullptr;
      const Slot& slot = node->slots[IndexOf(*node, bit)];
      if (!slot.child) return FindInChain(slot.entry.get(), hash, key);
      node = slot.child.get();
    }
    return nullptr;
  }

  size_t size() const { return size_; }

  void Set(const std::string& key, Value value, EditId edit) {
    const uint64_t hash = Hash()(key);
    auto entry = std::make_shared<Entry>(Entry{hash, key, std::move(value), nullptr});
    Own(root_, edit);
    Node* node = root_.get();
    for (unsigned shift = 0;; shift += kBits) {
      const uint32_t bit = BitOf(hash, shift);
      const size_t index = IndexOf(*node, bit);
      if ((node->occupied & bit) == 0) {
        node->slots.insert(node->slots.begin() + static_cast<std::ptrdiff_t>(index), Slot{nullptr, std::move(entry)});
        node->occupied |= bit;
        ++size_;
        return;
      }
      Slot& slot = node->slots[index];
      if (!slot.child) {
        if (slot.entry->hash == hash) return SetInChain(slot, std::move(entry));
        PushDown(slot, shift + kBits, edit);
      }
      Own(slot.child, edit);
      node = slot.child.get();
    }
  }

  // No effect when it is not there.
  void Erase(std::string_view key, EditId edit) {
    if (Find(key) == nullptr) return;
    EraseBelow(root_, Hash()(key), key, 0, edit);
    --size_;
  }

 private:
  struct Entry {
    uint64_t hash = 0;
    std::string key;
    Value value{};
    std::shared_ptr<const Entry> next;  // another key with the same hash
  };
  struct Node;
  struct Slot {  // either of the two
    std::shared_ptr<Node> child;
    std::shared_ptr<const Entry> entry;
  };
  struct Node {
    EditId edit = 0;
    uint32_t occupied = 0;    // a bit for each of the 32 ways that has a slot
    std::vector<Slot> slots;  // in order of the bits
  };

  static constexpr unsigned kBits = 5;

  static uint32_t BitOf(uint64_t hash, unsigned shift) { return uint32_t{1} << ((hash >> shift) & 31); }
  static size_t IndexOf(const Node& node, uint32_t bit) {
    return static_cast<size_t>(std::popcount(node.occupied & (bit - 1)));
  }

  static const Value* FindInChain(const Entry* entry, uint64_t hash, std::string_view key) {
    for (; entry != nullptr; entry = entry->next.get()) {
      if (entry->hash == hash && entry->key == key) return &entry->value;
    }
    return nullptr;
  }

  // Makes the node one of this batch, which may be changed.
  static void Own(std::shared_ptr<Node>& node, EditId edit) {
    if (!node) {
      node = std::make_shared<Node>();
    } else if (node->edit != edit) {
      node = std::make_shared<Node>(*node);
    }
    node->edit = edit;
  }

  // Replaces the entry in `slot` by a node with that entry.
  static void PushDown(Slot& slot, unsigned shift, EditId edit) {
    auto child = std::make_shared<Node>();
    child->edit = edit;
    child->occupied = BitOf(slot.entry->hash, shift);
    child->slots.push_back(Slot{nullptr, std::move(slot.entry)});
    slot = Slot{std::move(child), nullptr};
  }

  // The chain without `key`.
  static std::shared_ptr<const Entry> Without(const std::shared_ptr<const Entry>& chain, std::string_view key) {
    if (!chain || chain->key == key) return chain ? chain->next : nullptr;
    return std::make_shared<Entry>(Entry{chain->hash, chain->key, chain->value, Without(chain->next, key)});
  }

  void SetInChain(Slot& slot, std::shared_ptr<Entry> entry) {
    if (FindInChain(slot.entry.get(), entry->hash, entry->key) == nullptr) ++size_;
    entry->next = Without(slot.entry, entry->key);
    slot.entry = std::move(entry);
  }

  // REQUIRES: the key is there.
  static void EraseBelow(std::shared_ptr<Node>& node, uint64_t hash, std::string_view key, unsigned shift,
                         EditId edit) {
    Own(node, edit);
    const uint32_t bit = BitOf(hash, shift);
    const size_t index = IndexOf(*node, bit);
    Slot& slot = node->slots[index];
    if (slot.child) {
      EraseBelow(slot.child, hash, key, shift + kBits, edit);
      // A single entry needs no node of its own.
      if (slot.child && slot.child->slots.size() == 1 && !slot.child->slots[0].child) {
        slot = Slot{nullptr, slot.child->slots[0].entry};
      }
    } else {
      slot.entry = Without(slot.entry, key);
    }
    if (slot.child || slot.entry) return;
    node->slots.erase(node->slots.begin() + static_cast<std::ptrdiff_t>(index));
    node->occupied &= ~bit;
    if (node->slots.empty()) node = nullptr;
  }

  std::shared_ptr<Node> root_;
  size_t size_ = 0;
};

}  // namespace updraft::activator

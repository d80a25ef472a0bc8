#include "controller/feeds/slot_broker.h"

#include <algorithm>
#include <utility>

namespace updraft::controller {

SlotBroker::SlotBroker(TimePoint started, const std::set<std::string>& known)
    : started_(started), missing_(known) {
  Judge(started);
}

// ---- instances

void SlotBroker::SetRevision(const RevisionKey& key, uint32_t limit, Nanos timeout,
                             const std::vector<InstanceFacts>& instances, TimePoint now) {
  auto found = books_.find(key);
  if (found == books_.end() && limit == 0) return;
  if (found == books_.end()) found = books_.try_emplace(key).first;
  Book& book = found->second;
  if (limit != 0) book.timeout = timeout;
  book.limit = limit;
  std::set<InstanceId> there;
  for (const InstanceFacts& facts : instances) {
    there.insert(facts.id);
    auto record = book.records.find(facts.id);
    if (record == book.records.end()) {
      if (limit == 0) continue;
      record = book.records.try_emplace(facts.id).first;
      record->second.limit = limit;
      record->second.adopted = facts.adopted;
      revision_of_[facts.id] = key;
      Place(facts.id, record->second);
    }
    Note(facts.id, record->second, facts);
  }
  for (auto& [id, record] : book.records) {
    if (!there.contains(id) && !record.gone) Leave(book, id, record, now);
  }
  SweepGone(now);
  found = books_.find(key);
  if (found == books_.end()) return;
  if (sharing()) Balance(key, found->second, now);
  if (limit == 0 && found->second.records.empty()) books_.erase(found);
}

// Of an instance that becomes known: what was said to be held of it, and what must be.
void SlotBroker::Place(const InstanceId& id, Record& record) {
  for (auto& [number, process] : processes_) {
    const auto unplaced = process.unplaced.extract(id);
    if (!unplaced.empty()) {
      record.held[number] = unplaced.mapped();
    } else if (process.knows_all && record.adopted && !process.whole) {
      record.held[number] = {.granted = record.limit, .returned = 0, .told = 0};
    }
  }
}

void SlotBroker::Note(const InstanceId& id, Record& record, const InstanceFacts& facts) {
  record.gone.reset();
  record.takes = facts.takes;
  record.announced = record.announced || facts.listed;
  if (std::exchange(record.listed, facts.listed) || !facts.listed) return;
  // Activators that hear of it again may have forgotten it.
  for (auto& [number, holding] : record.held) {
    holding.told = 0;
    if (holding.granted > 0) Change(number, revision_of_.at(id));
  }
}

// Its books stay for as long as it may come back with requests inside: its node may have been silent.
void SlotBroker::Leave(Book& book, const InstanceId& id, Record& record, TimePoint now) {
  record.listed = false;
  record.takes = false;
  record.gone = now;
  gone_.emplace_back(now + kSlotLossPatience + book.timeout, id);
}

void SlotBroker::SweepGone(TimePoint now) {
  while (!gone_.empty()) {
    const auto [due, id] = gone_.front();
    const auto key = revision_of_.find(id);
    if (key != revision_of_.end()) {
      const Book& book = books_.at(key->second);
      const Record& record = book.records.at(id);
      const bool over = Erasable(book, record, now);
      if (record.gone && !over && now < due) return;  // what comes after is later, or nearly so
      if (over) EraseRecord(RevisionKey(key->second), id);
    }
    gone_.pop_front();
  }
}

bool SlotBroker::Erasable(const Book& book, const Record& record, TimePoint now) const {
  if (!record.gone) return false;
  if (now >= *record.gone + kSlotLossPatience + book.timeout) return true;
  if (!sharing()) return false;  // nothing is counted
  return std::ranges::all_of(record.held, [](const auto& entry) { return entry.second.held() == 0; });
}

void SlotBroker::EraseRecord(const RevisionKey& key, const InstanceId& id) {
  const auto book = books_.find(key);
  const auto record = book->second.records.find(id);
  for (auto& [number, process] : processes_) {
    if (!record->second.announced || process.whole || process.ghost || process.session == 0) continue;
    process.forgotten.push_back(id);
    process.news = true;
  }
  revision_of_.erase(id);
  book->second.records.erase(record);
  if (book->second.limit == 0 && book->second.records.empty()) books_.erase(book);
}

// ---- activators

SlotBroker::Process* SlotBroker::At(Session session) {
  return const_cast<Process*>(std::as_const(*this).At(session));
}

const SlotBroker::Process* SlotBroker::At(Session session) const {
  for (const auto& [number, process] : processes_) {
    if (process.session == session) return &process;
  }
  return nullptr;
}

SlotBroker::Processes::iterator SlotBroker::ProcessOf(const v1::ActivatorHello& hello) {
  return std::ranges::find_if(processes_, [&hello](const auto& entry) {
    return entry.second.id == hello.activator_id() && entry.second.started_ns == hello.started_ns();
  });
}

void SlotBroker::Hello(Session session, const v1::ActivatorHello& hello, TimePoint now) {
  if (At(session) != nullptr) return;
  auto found = ProcessOf(hello);
  if (found != processes_.end() && found->second.session > session) return;  // of an older stream
  const bool is_new = found == processes_.end();
  if (is_new) found = processes_.try_emplace(next_++).first;
  const Number number = found->first;
  Process& process = found->second;
  process.id = hello.activator_id();
  process.started_ns = hello.started_ns();
  process.lineage = hello.lineage().empty() ? hello.activator_id() : hello.lineage();
  process.session = session;
  if (is_new && !hello.beside()) {
    process.ghost = std::ranges::any_of(processes_, [&](const auto& entry) {
      return entry.second.lineage == process.lineage && entry.second.session > session;
    });
  }
  if (process.ghost) return;
  if (is_new) {
    process.knows_all = hello.alone();
    TakePlace(number, hello.beside());
  }
  if (hello.alone()) missing_.clear();
  CountAnew(number, hello, now);
  Judge(now);
  if (sharing()) BalanceAll(now);
}

// A new process is there: the one before it has ended, unless it is said to live.
void SlotBroker::TakePlace(Number number, bool beside) {
  const std::string lineage = processes_.at(number).lineage;
  std::vector<Number> before;
  for (const auto& [other, process] : processes_) {
    if (other != number && process.lineage == lineage && !process.ghost) before.push_back(other);
  }
  if (!beside || !before.empty()) missing_.erase(lineage);
  forgotten_.erase(lineage);
  if (beside) return;
  for (const Number other : before) Remove(other);
}

// Everything it holds is void. One whose stream is open is spoken to no more than it must be.
void SlotBroker::Remove(Number number) {
  for (auto& [key, book] : books_) {
    book.standings.erase(number);
    for (auto& [id, record] : book.records) record.held.erase(number);
  }
  Process& process = processes_.at(number);
  if (process.session != 0) {
    process.ghost = true;
    process.whole = false;
    process.unplaced.clear();
    return;
  }
  const std::string lineage = process.lineage;
  processes_.erase(number);
  const bool goes_on = std::ranges::any_of(
      processes_, [&lineage](const auto& entry) { return entry.second.lineage == lineage; });
  if (!goes_on) forgotten_.insert(lineage);
}

void SlotBroker::CountAnew(Number number, const v1::ActivatorHello& hello, TimePoint now) {
  Process& process = processes_.at(number);
  process.was_told = false;
  process.news = false;
  process.epoch = 0;
  process.changed.clear();
  process.asked.clear();
  process.forgotten.clear();
  for (auto& [key, book] : books_) book.standings.erase(number);
  if (hello.alone() && process.whole) return;
  process.whole = false;
  if (hello.alone()) {
    if (process.knows_all) {
      for (auto& [key, book] : books_) {
        for (auto& [id, record] : book.records) {
          if (record.adopted && !record.held.contains(number)) record.held[number].granted = record.limit;
        }
      }
    }
  } else {
    process.knows_all = false;
    process.unplaced.clear();
    for (auto& [key, book] : books_) {
      for (auto& [id, record] : book.records) record.held.erase(number);
    }
    for (const v1::HeldSlots& held : hello.held()) {
      const Holding holding{.granted = held.slots(), .returned = 0, .told = held.slots()};
      const auto key = revision_of_.find(held.instance_id());
      if (key == revision_of_.end()) {
        process.unplaced[held.instance_id()] = holding;
      } else {
        books_.at(key->second).records.at(held.instance_id()).held[number] = holding;
      }
    }
    for (auto& [key, book] : books_) {
      for (const auto& [id, record] : book.records) {
        if (record.held.contains(number)) book.standings[number].granted_at = now;
      }
    }
    return;
  }
  // Counting begins with what it holds.
  for (auto& [key, book] : books_) {
    for (auto& [id, record] : book.records) {
      const auto held = record.held.find(number);
      if (held == record.held.end()) continue;
      held->second = {.granted = held->second.held(), .returned = 0, .told = 0};
      book.standings[number].granted_at = now;
      Change(number, key);
    }
  }
}

// It had everything, and counting begins: all that it may know is its own.
void SlotBroker::HoldAll(Number number, TimePoint now) {
  Process& process = processes_.at(number);
  process.whole = false;
  ++process.epoch;
  for (auto& [key, book] : books_) {
    for (auto& [id, record] : book.records) {
      if (!record.announced && !(process.knows_all && record.adopted)) continue;
      record.held[number] = {.granted = record.limit, .returned = 0, .told = 0};
      book.standings[number].granted_at = now;
      Change(number, key);
    }
  }
  process.news = true;
}

void SlotBroker::End(Session session, TimePoint now) {
  const auto found = std::ranges::find_if(
      processes_, [session](const auto& entry) { return entry.second.session == session; });
  if (found == processes_.end()) return;
  const Number number = found->first;
  Process& process = found->second;
  if (process.whole) HoldAll(number, now);
  process.session = 0;
  process.lost_at = now;
  for (auto& [key, book] : books_) book.standings.erase(number);
  const bool followed = std::ranges::any_of(processes_, [&](const auto& entry) {
    return entry.first > number && entry.second.lineage == process.lineage && !entry.second.ghost;
  });
  if (process.ghost || followed) Remove(number);
  Judge(now);
  if (sharing()) BalanceAll(now);
}

void SlotBroker::Returned(Session session, const v1::SlotsReturned& returned, TimePoint now) {
  const auto found = std::ranges::find_if(
      processes_, [session](const auto& entry) { return entry.second.session == session; });
  if (found == processes_.end()) return;
  Process& process = found->second;
  if (process.ghost || process.whole || process.epoch != returned.epoch()) return;
  std::set<RevisionKey> touched;
  for (const v1::ReturnedSlots& one : returned.instances()) {
    const auto key = revision_of_.find(one.instance_id());
    Holding* holding = nullptr;
    if (key != revision_of_.end()) {
      touched.insert(key->second);
      auto& held = books_.at(key->second).records.at(one.instance_id()).held;
      if (const auto of = held.find(found->first); of != held.end()) holding = &of->second;
    } else if (const auto unplaced = process.unplaced.find(one.instance_id()); unplaced != process.unplaced.end()) {
      holding = &unplaced->second;
    } else {
      process.forgotten.push_back(one.instance_id());
      process.news = true;
    }
    if (holding == nullptr) continue;
    holding->returned = std::max(holding->returned, std::min(one.returned(), holding->granted));
  }
  for (const v1::ReturnedSlots& one : returned.instances()) {
    const auto key = revision_of_.find(one.instance_id());
    if (key == revision_of_.end()) continue;
    const Book& book = books_.at(key->second);
    if (Erasable(book, book.records.at(one.instance_id()), now)) {
      EraseRecord(RevisionKey(key->second), one.instance_id());
    }
  }
  if (!sharing()) return;
  for (const RevisionKey& key : touched) {
    if (const auto book = books_.find(key); book != books_.end()) Balance(key, book->second, now);
  }
}

void SlotBroker::Demand(Session session, const v1::SlotDemand& demand, TimePoint now) {
  const auto found = std::ranges::find_if(
      processes_, [session](const auto& entry) { return entry.second.session == session; });
  if (found == processes_.end() || found->second.ghost || !sharing()) return;
  for (const v1::RevisionDemand& of : demand.revisions()) {
    const auto book = books_.find(of.revision());
    if (book == books_.end()) continue;
    Standing& standing = book->second.standings[found->first];
    standing.wanted = uint64_t{of.running()} + of.waiting();
    standing.waiting = of.waiting();
    standing.told_at = now;
    standing.asked = false;
    Balance(book->first, book->second, now);
  }
}

// ---- time

void SlotBroker::Wake(TimePoint now) {
  Nanos longest{0};
  for (const auto& [key, book] : books_) longest = std::max(longest, book.timeout);
  std::vector<Number> over;
  for (auto& [number, process] : processes_) {
    if (process.session != 0) continue;
    bool holds = false;
    for (auto& [key, book] : books_) {
      for (auto& [id, record] : book.records) {
        if (now >= VoidAt(process, book)) record.held.erase(number);
        const auto held = record.held.find(number);
        holds = holds || (held != record.held.end() && held->second.held() > 0);
      }
    }
    if (now >= process.lost_at + kSlotLossPatience + longest) process.unplaced.clear();
    if (!holds && process.unplaced.empty() && now >= process.lost_at + kSlotLossPatience) over.push_back(number);
  }
  for (const Number number : over) Remove(number);
  if (now >= started_ + kSlotLossPatience + longest) {
    forgotten_.merge(missing_);
    missing_.clear();
  }
  SweepGone(now);
  Judge(now);
  if (sharing()) BalanceAll(now);
}

// Whether there is only one, and when that is to be asked again.
void SlotBroker::Judge(TimePoint now) {
  Number only = 0;
  size_t count = 0;
  for (const auto& [number, process] : processes_) {
    if (process.ghost) continue;
    ++count;
    if (process.session != 0) only = number;
  }
  only_ = count == 1 && missing_.empty() ? only : 0;
  for (auto& [number, process] : processes_) {
    if (number != only_ && process.whole) HoldAll(number, now);
    if (number != only_ || process.whole) continue;
    process.whole = true;
    process.unplaced.clear();
    process.changed.clear();
    process.news = process.was_told;
    for (auto& [key, book] : books_) {
      book.standings.clear();
      for (auto& [id, record] : book.records) record.held.clear();
    }
  }
  wake_at_.reset();
  const auto look = [this, now](TimePoint when) {
    if (when > now && (!wake_at_ || when < *wake_at_)) wake_at_ = when;
  };
  Nanos longest{0};
  for (const auto& [key, book] : books_) {
    longest = std::max(longest, book.timeout);
    if (!missing_.empty()) look(started_ + kSlotLossPatience + book.timeout);
  }
  if (!missing_.empty()) look(started_ + kSlotLossPatience + longest);
  for (const auto& [number, process] : processes_) {
    if (process.session != 0) continue;
    look(process.lost_at + kSlotLossPatience);
    for (const auto& [key, book] : books_) look(VoidAt(process, book));
  }
}

}  // namespace updraft::controller

#include "activator/stats/revision_page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

namespace updraft::activator {
namespace {

// What is done in one turn of the loop, a fraction of a millisecond, as bytes of text that are written.
constexpr size_t kCostAtOnce = 200'000;
constexpr size_t kCostOfCompressing = 3;  // of each byte
constexpr size_t kCostOfGroup = 100;
constexpr size_t kCostOfRow = 100;

template <typename T>
void AppendNumber(std::string& page, T number) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  page.append(digits.data(), end.ptr);
}

// The beginning of a sample: "name suffix{labels".
void AppendName(std::string& page, std::string_view family, std::string_view suffix, std::string_view labels) {
  page.append("updraft_activator_").append(family).append(suffix).append("{").append(labels);
}

// And its end, behind further labels or none.
template <typename T>
void AppendValue(std::string& page, T value) {
  page.append("} ");
  AppendNumber(page, value);
  page.append("\n");
}

template <typename T>
void AppendSample(std::string& page, std::string_view family, std::string_view labels, T value) {
  AppendName(page, family, {}, labels);
  AppendValue(page, value);
}

// ",le=..." of each bucket.
const std::array<std::string, kDurationBounds.size() + 1>& BoundLabels() {
  static const auto* const labels = [] {
    auto* made = new std::array<std::string, kDurationBounds.size() + 1>;
    for (size_t i = 0; i < made->size(); ++i) {
      std::string& label = (*made)[i] = ",le=\"";
      if (i < kDurationBounds.size()) {
        AppendNumber(label, kDurationBounds[i]);
      } else {
        label += "+Inf";
      }
      label += "\"";
    }
    return made;
  }();
  return *labels;
}

// Most of a page is this: what all buckets begin with is put together once, and the room for them is asked for once.
void AppendHistogram(std::string& page, std::string_view family, std::string_view labels, const DurationTotals& totals) {
  constexpr size_t kRestMax = 64;  // of a bucket's line: its bound and its value
  const std::array<std::string, kDurationBounds.size() + 1>& bounds = BoundLabels();
  thread_local std::string bucket;
  bucket.clear();
  AppendName(bucket, family, "_bucket", labels);
  const size_t begin = page.size();
  page.resize(begin + totals.buckets.size() * (bucket.size() + kRestMax));
  char* at = page.data() + begin;
  const auto put = [&at](std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    at += text.size();
  };
  uint64_t cumulative = 0;
  for (size_t i = 0; i < totals.buckets.size(); ++i) {
    cumulative += totals.buckets[i];
    put(bucket);
    put(bounds[i]);
    put("} ");
    at = std::to_chars(at, at + 20, cumulative).ptr;
    put("\n");
  }
  page.resize(static_cast<size_t>(at - page.data()));
  AppendName(page, family, "_sum", labels);
  AppendValue(page, totals.sum);
  AppendName(page, family, "_count", labels);
  AppendValue(page, cumulative);
}

std::string LabelsOf(const RevisionSettings& settings) {  // DNS labels all: nothing to escape
  return "configuration=\"" + settings.configuration + "\",namespace=\"" + settings.namespace_name +
         "\",revision=\"" + settings.name + "\",service=\"" + settings.service + "\"";
}

void AppendDurations(std::string& page, std::string_view family, const std::string& labels, const Revision& revision) {
  const ResponseTotals totals = revision.ReadResponses();
  for (size_t i = 0; i < totals.classes.size(); ++i) {
    if (totals.classes[i].count() == 0) continue;
    std::string of_class = labels;
    of_class.append(",response_code_class=\"").append(i == 0 ? "none" : std::to_string(i) + "xx").append("\"");
    AppendHistogram(page, family, of_class, totals.classes[i]);
  }
}

// From their first on: most revisions never have any of some.
void AppendEvents(std::string& page, std::string_view family, const std::string& labels, uint64_t count) {
  if (count > 0) AppendSample(page, family, labels, count);
}

void AppendAborts(std::string& page, std::string_view family, const std::string& labels, const TrafficTotals& totals) {
  for (size_t i = 0; i < totals.aborts.size(); ++i) {
    if (totals.aborts[i] == 0) continue;
    AppendSample(page, family, labels + ",cause=\"" + std::string(kAbortCauses[i]) + "\"", totals.aborts[i]);
  }
}

}  // namespace

struct RevisionPage::Family {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  void (*append)(std::string& page, std::string_view family, const Figures& figures, const Revision& revision);
};

const std::vector<RevisionPage::Family>& RevisionPage::Families() {
  static const auto* const families = new std::vector<Family>{
      {"requests_running", "gauge", "Requests in instances now",
       [](std::string& page, std::string_view family, const Figures& figures, const Revision&) {
         AppendSample(page, family, figures.labels, figures.load.running);
       }},
      {"requests_waiting", "gauge", "Requests held for want of an instance or a slot now",
       [](std::string& page, std::string_view family, const Figures& figures, const Revision&) {
         AppendSample(page, family, figures.labels, figures.load.waiting);
       }},
      {"request_seconds_in_flight_total", "counter",
       "Time integral of requests held or running: its rate is the average concurrency",
       [](std::string& page, std::string_view family, const Figures& figures, const Revision&) {
         AppendSample(page, family, figures.labels, figures.load.request_time.ToSeconds());
       }},
      {"requests_total", "counter", "Requests that arrived",
       [](std::string& page, std::string_view family, const Figures& figures, const Revision&) {
         AppendSample(page, family, figures.labels, figures.load.arrivals);
       }},
      {"request_duration_seconds", "histogram",
       "Time from a request's head to its response's end, by the class of its status; none: the client left",
       [](std::string& page, std::string_view family, const Figures& figures, const Revision& revision) {
         AppendDurations(page, family, figures.labels, revision);
       }},
      {"request_wait_seconds", "histogram",
       "Time that requests were held for want of an instance or a slot, of those that were",
       [](std::string& page, std::string_view family, const Figures& figures, const Revision&) {
         const DurationTotals& waits = figures.traffic.waits;
         if (waits.count() > 0) AppendHistogram(page, family, figures.labels, waits);
       }},
      {"aborted_requests_total", "counter",
       "Requests that did not end as their instance would have had it, by who or what ended them",
       [](std::string& page, std::string_view family, const Figures& figures, const Revision&) {
         AppendAborts(page, family, figures.labels, figures.traffic);
       }},
      {"received_bytes_total", "counter", "Bytes of bodies and upgraded connections that went to instances",
       [](std::string& page, std::string_view family, const Figures& figures, const Revision&) {
         AppendEvents(page, family, figures.labels, figures.traffic.bytes_in);
       }},
      {"sent_bytes_total", "counter", "Bytes of bodies and upgraded connections that came from instances",
       [](std::string& page, std::string_view family, const Figures& figures, const Revision&) {
         AppendEvents(page, family, figures.labels, figures.traffic.bytes_out);
       }},
      {"request_retries_total", "counter", "Times that a request was sent again because no instance had seen it",
       [](std::string& page, std::string_view family, const Figures& figures, const Revision&) {
         AppendEvents(page, family, figures.labels, figures.traffic.retries);
       }},
      {"instance_ejections_total", "counter", "Times that an instance was left alone because requests to it failed",
       [](std::string& page, std::string_view family, const Figures& figures, const Revision&) {
         AppendEvents(page, family, figures.labels, figures.traffic.ejections);
       }},
  };
  return *families;
}

RevisionPage::RevisionPage(const Clock& clock, RevisionSource revisions, std::shared_ptr<PageMemory> memory)
    : clock_(clock), revisions_(std::move(revisions)), memory_(std::move(memory)) {}

RevisionPage::RevisionPage(const Clock& clock, std::vector<OfRevision> revisions)
    : RevisionPage(clock, [revisions = std::move(revisions)](const SeeRevision& see) {
        for (const OfRevision& of : revisions) see(of.settings, *of.revision);
      }) {}

void RevisionPage::Begin(bool gzip) {
  begun_ = true;
  if (gzip && memory_ != nullptr) use_ = memory_->Begin(revisions_);
  if (use_ != nullptr) {
    rows_.resize(memory_->places());
    return;
  }
  memory_.reset();
  revisions_([this](const std::shared_ptr<const RevisionSettings>& settings, const Revision& revision) {
    if (revision.met()) rows_.push_back({.of = {settings, revision.shared_from_this()}});
  });
}

bool RevisionPage::Next(metrics::PageWriter& page) {
  if (!begun_) {
    Begin(page.gzip());
    return !rows_.empty();
  }
  for (size_t cost = 0; cost < kCostAtOnce && family_ < Families().size();) cost += WriteGroup(page);
  const bool more = family_ < Families().size();
  if (!more) use_.reset();
  return more;
}

size_t RevisionPage::WriteGroup(metrics::PageWriter& page) {
  const Family& family = Families()[family_];
  if (group_ == 0) {
    page.text().append("# HELP updraft_activator_").append(family.name).append(" ").append(family.help);
    page.text().append("\n# TYPE updraft_activator_").append(family.name).append(" ").append(family.type).append("\n");
  }
  size_t cost = kCostOfGroup;
  const metrics::CompressedText* known = memory_ != nullptr ? memory_->Find(group_, family_) : nullptr;
  if (known != nullptr) {
    page.Append(*known);
    cost += known->blocks.size();
  } else if (memory_ != nullptr && memory_->Wants(group_)) {
    text_.clear();
    cost += kCostOfCompressing * WriteRows(text_);
    page.Append(memory_->Keep(group_, family_, text_));
  } else {
    cost += WriteRows(page.text());
  }
  if (++group_ * PageMemory::kGroupRows >= rows_.size()) {
    group_ = 0;
    ++family_;
  }
  return cost;
}

size_t RevisionPage::WriteRows(std::string& text) {
  const Family& family = Families()[family_];
  const size_t before = text.size();
  const size_t begin = group_ * PageMemory::kGroupRows;
  const size_t end = std::min(rows_.size(), begin + PageMemory::kGroupRows);
  for (size_t i = begin; i < end; ++i) {
    if (Look(i)) family.append(text, family.name, *rows_[i].figures, *rows_[i].of.revision);
  }
  return text.size() - before + (end - begin) * kCostOfRow;
}

// False: it has no series.
bool RevisionPage::Look(size_t row) {
  Row& looked_at = rows_[row];
  if (looked_at.figures == nullptr) {
    if (memory_ != nullptr) looked_at.of = memory_->At(row);
    const OfRevision& of = looked_at.of;
    if (of.revision == nullptr) return false;
    looked_at.figures = std::make_unique<Figures>(
        Figures{LabelsOf(*of.settings), of.revision->ReadLoad(clock_), of.revision->ReadTraffic()});
  }
  return looked_at.figures->load.arrivals > 0;
}

}  // namespace updraft::activator

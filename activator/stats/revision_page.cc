#include "activator/stats/revision_page.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

namespace updraft::activator {
namespace {

// Revisions a piece: with all status classes of a histogram some 200 kB.
constexpr size_t kRowsPerPiece = 64;

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
  void (*append)(std::string& page, std::string_view family, const Row& row);
};

const std::vector<RevisionPage::Family>& RevisionPage::Families() {
  static const auto* const families = new std::vector<Family>{
      {"requests_running", "gauge", "Requests in instances now",
       [](std::string& page, std::string_view family, const Row& row) {
         AppendSample(page, family, row.labels, row.load.running);
       }},
      {"requests_waiting", "gauge", "Requests held for want of an instance or a slot now",
       [](std::string& page, std::string_view family, const Row& row) {
         AppendSample(page, family, row.labels, row.load.waiting);
       }},
      {"request_seconds_in_flight_total", "counter",
       "Time integral of requests held or running: its rate is the average concurrency",
       [](std::string& page, std::string_view family, const Row& row) {
         AppendSample(page, family, row.labels, row.load.request_time.ToSeconds());
       }},
      {"requests_total", "counter", "Requests that arrived",
       [](std::string& page, std::string_view family, const Row& row) {
         AppendSample(page, family, row.labels, row.load.arrivals);
       }},
      {"request_duration_seconds", "histogram",
       "Time from a request's head to its response's end, by the class of its status; none: the client left",
       [](std::string& page, std::string_view family, const Row& row) {
         AppendDurations(page, family, row.labels, *row.of.revision);
       }},
      {"request_wait_seconds", "histogram",
       "Time that requests were held for want of an instance or a slot, of those that were",
       [](std::string& page, std::string_view family, const Row& row) {
         if (row.traffic.waits.count() > 0) AppendHistogram(page, family, row.labels, row.traffic.waits);
       }},
      {"aborted_requests_total", "counter",
       "Requests that did not end as their instance would have had it, by who or what ended them",
       [](std::string& page, std::string_view family, const Row& row) {
         AppendAborts(page, family, row.labels, row.traffic);
       }},
      {"received_bytes_total", "counter", "Bytes of bodies and upgraded connections that went to instances",
       [](std::string& page, std::string_view family, const Row& row) {
         AppendSample(page, family, row.labels, row.traffic.bytes_in);
       }},
      {"sent_bytes_total", "counter", "Bytes of bodies and upgraded connections that came from instances",
       [](std::string& page, std::string_view family, const Row& row) {
         AppendSample(page, family, row.labels, row.traffic.bytes_out);
       }},
      {"request_retries_total", "counter", "Times that a request was sent again because no instance had seen it",
       [](std::string& page, std::string_view family, const Row& row) {
         AppendSample(page, family, row.labels, row.traffic.retries);
       }},
      {"instance_ejections_total", "counter", "Times that an instance was left alone because requests to it failed",
       [](std::string& page, std::string_view family, const Row& row) {
         AppendSample(page, family, row.labels, row.traffic.ejections);
       }},
  };
  return *families;
}

RevisionPage::RevisionPage(const Clock& clock, std::vector<OfRevision> revisions)
    : clock_(clock), revisions_(std::move(revisions)) {}

void RevisionPage::Prepare() {
  const size_t end = std::min(revisions_.size(), prepared_ + kRowsPerPiece);
  for (; prepared_ < end; ++prepared_) {
    OfRevision& of = revisions_[prepared_];
    const LoadReading load = of.revision->ReadLoad(clock_);
    if (load.arrivals == 0) continue;
    std::string labels = LabelsOf(*of.settings);
    const TrafficTotals traffic = of.revision->ReadTraffic();
    rows_.push_back({std::move(labels), std::move(of), load, traffic});
  }
}

bool RevisionPage::Next(std::string& page) {
  if (prepared_ < revisions_.size()) {
    Prepare();
    return true;
  }
  if (family_ == Families().size() || rows_.empty()) return false;
  const Family& family = Families()[family_];
  if (row_ == 0) {
    page.append("# HELP updraft_activator_").append(family.name).append(" ").append(family.help);
    page.append("\n# TYPE updraft_activator_").append(family.name).append(" ").append(family.type).append("\n");
  }
  const size_t end = std::min(rows_.size(), row_ + kRowsPerPiece);
  for (; row_ < end; ++row_) family.append(page, family.name, rows_[row_]);
  if (row_ == rows_.size()) {
    row_ = 0;
    ++family_;
  }
  return family_ < Families().size();
}

}  // namespace updraft::activator

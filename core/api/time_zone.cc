#include "core/api/time_zone.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace updraft::api {
namespace {

constexpr char kZones[] = "/usr/share/zoneinfo/";
constexpr size_t kHeaderBytes = 44;
constexpr size_t kChangesMax = 10'000;
constexpr int64_t kDaySeconds = 86'400;

// Big-endian numbers, one after the other.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  int64_t Number(size_t width) {
    if (bytes_.size() < width) return failed_ = true, 0;
    uint64_t value = (bytes_[0] & 0x80) != 0 && width > 1 ? ~uint64_t{0} : 0;
    for (size_t i = 0; i < width; ++i) value = value << 8 | static_cast<uint8_t>(bytes_[i]);
    bytes_.remove_prefix(width);
    return static_cast<int64_t>(value);
  }
  void Skip(size_t count) {
    if (bytes_.size() < count) failed_ = true;
    bytes_.remove_prefix(std::min(count, bytes_.size()));
  }
  bool failed() const { return failed_; }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

struct Counts {
  size_t utc_marks = 0, standard_marks = 0, leaps = 0, changes = 0, types = 0, letters = 0;
};

Counts ReadHeader(Reader& in) {
  in.Skip(20);  // magic, version, reserved
  const auto count = [&in] { return static_cast<size_t>(std::max<int64_t>(0, in.Number(4))); };
  Counts counts;
  counts.utc_marks = count();
  counts.standard_marks = count();
  counts.leaps = count();
  counts.changes = count();
  counts.types = count();
  counts.letters = count();
  return counts;
}

bool IsZoneName(const std::string& name) {
  const auto good = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '+' ||
           c == '/';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '/' &&
         std::ranges::all_of(name, good);
}

}  // namespace

// Howard Hinnant's algorithm: an era is 400 years, whose days are the same in each.
CivilDate DateOf(int64_t day) {
  const int64_t shifted = day + 719'468;  // since 0000-03-01
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const int64_t day_of_era = shifted - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (5 * day_of_year + 2) / 153;  // 0: March
  CivilDate date;
  date.day = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
  date.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  date.year = static_cast<int>(year_of_era + era * 400 + (date.month <= 2 ? 1 : 0));
  date.weekday = static_cast<int>(((day % 7) + 7 + 4) % 7);
  return date;
}

Result<TimeZone> TimeZone::Parse(std::string_view bytes) {
  const Error bad{Code::kInvalidArgument, "not a zone file"};
  if (bytes.size() < kHeaderBytes || !bytes.starts_with("TZif") || bytes[4] < '2') return bad;
  Reader in(bytes);
  // The first block has 32-bit times; the second one is complete.
  const Counts old = ReadHeader(in);
  if (old.changes > kChangesMax || old.leaps > kChangesMax || old.types > 256 || old.letters > 4096)
    return bad;
  in.Skip(old.changes * 5 + old.types * 6 + old.letters + old.leaps * 8 + old.standard_marks +
          old.utc_marks);
  const Counts counts = ReadHeader(in);
  if (counts.changes > kChangesMax || counts.types == 0 || counts.types > 256) return bad;
  TimeZone zone;
  for (size_t i = 0; i < counts.changes; ++i) zone.changes_.push_back({.at = in.Number(8)});
  std::vector<size_t> type_of;
  for (size_t i = 0; i < counts.changes; ++i) type_of.push_back(static_cast<size_t>(in.Number(1)));
  std::vector<int64_t> offsets;
  for (size_t i = 0; i < counts.types; ++i) {
    offsets.push_back(in.Number(4));
    in.Skip(2);
  }
  if (in.failed()) return bad;
  for (size_t i = 0; i < counts.changes; ++i) {
    if (type_of[i] >= counts.types) return bad;
    zone.changes_[i].offset = offsets[type_of[i]];
  }
  zone.first_offset_ = offsets[0];
  return zone;
}

int64_t TimeZone::OffsetAt(int64_t unix_seconds) const {
  const auto after = std::ranges::upper_bound(changes_, unix_seconds, {}, &Change::at);
  return after == changes_.begin() ? first_offset_ : std::prev(after)->offset;
}

CivilTime TimeZone::ToCivil(WallTime t) const {
  const int64_t now = std::chrono::floor<Seconds>(t).time_since_epoch().count();
  const int64_t shown = now + OffsetAt(now);
  const int64_t day = shown >= 0 ? shown / kDaySeconds : (shown - kDaySeconds + 1) / kDaySeconds;
  return {.day = day, .seconds = static_cast<int>(shown - day * kDaySeconds)};
}

WallTime TimeZone::FromCivil(CivilTime civil) const {
  const int64_t shown = civil.day * kDaySeconds + civil.seconds;
  // The offset of the day before reads the clock as it was before any change of that day.
  const int64_t before = OffsetAt(shown - kDaySeconds);
  const int64_t after = OffsetAt(shown + kDaySeconds);
  const int64_t early = shown - std::max(before, after);
  if (early + OffsetAt(early) == shown) return WallTime(Seconds(early));
  const int64_t late = shown - std::min(before, after);
  if (late + OffsetAt(late) == shown) return WallTime(Seconds(late));
  return WallTime(Seconds(shown - before));
}

Result<std::shared_ptr<const TimeZone>> LoadTimeZone(const std::string& name) {
  if (name == "UTC") return std::make_shared<const TimeZone>();
  if (!IsZoneName(name))
    return Error{Code::kInvalidArgument, "\"" + name + "\" is no name of a time zone"};
  std::ifstream file(kZones + name, std::ios::binary);
  std::ostringstream bytes;
  if (file) bytes << file.rdbuf();
  if (!file || bytes.str().empty()) {
    return Error{Code::kNotFound, "the time zone \"" + name + "\" is not known on this machine"};
  }
  Result<TimeZone> zone = TimeZone::Parse(bytes.str());
  if (!zone)
    return Error{Code::kNotFound, "the time zone \"" + name + "\" is not known on this machine"};
  return std::make_shared<const TimeZone>(*std::move(zone));
}

}  // namespace updraft::api

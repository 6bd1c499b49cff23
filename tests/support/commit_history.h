// SPDX-License-Identifier: Apache-2.0
//
// Records commits, snapshots and reads of concurrent threads, and decides whether they are strictly serializable:
// whether there is one order of all commits that agrees with real time and explains everything that was seen. Commits
// and snapshots tell their place in that order, so no search is needed: replaying the commits by their numbers must
// give what each snapshot saw, an operation that returned before another began must come before it, and each read
// without a snapshot must fit somewhere.

#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "support/history.h"

namespace scree::test {

// A key of one of several indexes.
struct Place {
  int index = 0;
  std::uint64_t key = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};
using Contents = std::map<Place, std::int64_t>;

struct PlaceWrite {
  Place place;
  std::optional<std::int64_t> value;  // none: erased
};

struct Interval {
  std::uint64_t invoked = 0;
  std::uint64_t responded = 0;
};
struct CommitRecord : Interval {
  std::uint64_t sequence = 0;
  std::vector<PlaceWrite> writes;  // of several to a place, the last counts
};
// The interval is that of taking it; what it shows may be read at any later time.
struct SnapshotRecord : Interval {
  std::uint64_t sequence = 0;
  Contents seen;
};
struct GetRecord : Interval {
  Place place;
  std::optional<std::int64_t> value;
};

struct CommitHistory {
  std::vector<CommitRecord> commits;
  std::vector<SnapshotRecord> snapshots;
  std::vector<GetRecord> gets;

  void append(const CommitHistory& other) {
    commits.insert(commits.end(), other.commits.begin(), other.commits.end());
    snapshots.insert(snapshots.end(), other.snapshots.begin(), other.snapshots.end());
    gets.insert(gets.end(), other.gets.begin(), other.gets.end());
  }
};

// Calls `action()` and notes when it began and ended.
template <class Action>
Interval timed(HistoryClock& clock, Action&& action) {
  Interval interval;
  interval.invoked = clock.tick();
  action();
  interval.responded = clock.tick();
  return interval;
}

namespace detail {

// The highest number that anything which had returned before some time tells of, and the lowest that anything
// which began after some time allows.
class RealTime {
 public:
  // `floor`: what comes later is at `floor` or above. `ceiling`: what came earlier is at `ceiling` or below.
  void add(const Interval& interval, std::uint64_t floor, std::uint64_t ceiling) {
    floors_.emplace_back(interval.responded, floor);
    ceilings_.emplace_back(interval.invoked, ceiling);
  }
  void finish() {
    std::sort(floors_.begin(), floors_.end());
    for (std::size_t i = 1; i < floors_.size(); ++i) {
      floors_[i].second = std::max(floors_[i].second, floors_[i - 1].second);
    }
    std::sort(ceilings_.begin(), ceilings_.end());
    for (std::size_t i = ceilings_.size(); i-- > 1;) {
      ceilings_[i - 1].second = std::min(ceilings_[i - 1].second, ceilings_[i].second);
    }
  }
  std::uint64_t floor_before(std::uint64_t time) const {
    auto it = std::lower_bound(floors_.begin(), floors_.end(), std::pair<std::uint64_t, std::uint64_t>(time, 0));
    return it == floors_.begin() ? 0 : std::prev(it)->second;
  }
  std::uint64_t ceiling_after(std::uint64_t time) const {
    auto it =
        std::lower_bound(ceilings_.begin(), ceilings_.end(), std::pair<std::uint64_t, std::uint64_t>(time + 1, 0));
    return it == ceilings_.end() ? std::numeric_limits<std::uint64_t>::max() : it->second;
  }

 private:
  std::vector<std::pair<std::uint64_t, std::uint64_t>> floors_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ceilings_;
};

inline std::string describe(const Place& place) {
  return "key " + std::to_string(place.key) + " of index " + std::to_string(place.index);
}
inline std::string describe(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : std::string("nothing");
}

}  // namespace detail

inline std::optional<std::string> find_difference(const Contents& expected, const Contents& seen) {
  for (const auto& [place, value] : expected) {
    const auto it = seen.find(place);
    if (it == seen.end()) return detail::describe(place) + " is missing";
    if (it->second != value) {
      return detail::describe(place) + " is " + std::to_string(it->second) + ", not " + std::to_string(value);
    }
  }
  for (const auto& [place, value] : seen) {
    if (!expected.contains(place)) return detail::describe(place) + " is there";
  }
  return std::nullopt;
}

// Nothing if the history is strictly serializable, else what is wrong. Every number is above 0.
inline std::optional<std::string> find_serializability_violation(CommitHistory history) {
  auto& [commits, snapshots, gets] = history;
  const auto by_sequence = [](const auto& a, const auto& b) { return a.sequence < b.sequence; };
  std::sort(commits.begin(), commits.end(), by_sequence);
  std::sort(snapshots.begin(), snapshots.end(), by_sequence);

  detail::RealTime real_time;
  for (const CommitRecord& c : commits) real_time.add(c, c.sequence, c.sequence - 1);
  for (const SnapshotRecord& s : snapshots) real_time.add(s, s.sequence, s.sequence);
  real_time.finish();

  std::map<Place, std::vector<std::pair<std::uint64_t, std::optional<std::int64_t>>>> versions;
  std::uint64_t last = 0;
  for (const CommitRecord& c : commits) {
    const std::string name = "commit " + std::to_string(c.sequence);
    if (c.sequence == last) return "two commits have number " + std::to_string(last);
    last = c.sequence;
    if (real_time.floor_before(c.invoked) >= c.sequence) return name + " began after a later one was seen";
    for (const PlaceWrite& w : c.writes) versions[w.place].emplace_back(c.sequence, w.value);
  }

  Contents replayed;
  auto next = commits.begin();
  for (const SnapshotRecord& s : snapshots) {
    const std::string name = "the snapshot at " + std::to_string(s.sequence);
    if (real_time.floor_before(s.invoked) > s.sequence) return name + " misses a commit that had returned";
    for (; next != commits.end() && next->sequence <= s.sequence; ++next) {
      for (const PlaceWrite& w : next->writes) {
        if (w.value) {
          replayed[w.place] = *w.value;
        } else {
          replayed.erase(w.place);
        }
      }
    }
    if (auto difference = find_difference(replayed, s.seen)) return name + ": " + *difference;
  }

  // Reads without a snapshot: each takes the first place in the order that fits; what began after it comes not before
  // that.
  std::sort(gets.begin(), gets.end(), [](const auto& a, const auto& b) { return a.invoked < b.invoked; });
  using Returned = std::pair<std::uint64_t, std::uint64_t>;  // when, and its place
  std::priority_queue<Returned, std::vector<Returned>, std::greater<>> under_way;
  std::uint64_t returned_floor = 0;
  for (const GetRecord& g : gets) {
    for (; !under_way.empty() && under_way.top().first < g.invoked; under_way.pop()) {
      returned_floor = std::max(returned_floor, under_way.top().second);
    }
    std::uint64_t at = std::max(real_time.floor_before(g.invoked), returned_floor);
    const auto& of_place = versions[g.place];
    auto version = std::upper_bound(of_place.begin(), of_place.end(), at,
                                    [](std::uint64_t sequence, const auto& v) { return sequence < v.first; });
    std::optional<std::int64_t> value;
    if (version != of_place.begin()) value = std::prev(version)->second;
    while (value != g.value && version != of_place.end()) {
      // The last write of a commit counts.
      at = version->first;
      for (; version != of_place.end() && version->first == at; ++version) value = version->second;
    }
    if (value != g.value || at > real_time.ceiling_after(g.responded)) {
      return detail::describe(g.place) + " was read as " + detail::describe(g.value) + " when it was never that";
    }
    under_way.emplace(g.responded, at);
  }
  return std::nullopt;
}

}  // namespace scree::test

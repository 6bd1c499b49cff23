// SPDX-License-Identifier: Apache-2.0
//
// Records what concurrent threads did to single keys of a map, and decides whether each key's history is linearizable:
// whether the operations can be put in one order that agrees with real time (an operation that returned before another
// began comes first) and in which a sequential map gives every result that was seen. Linearizability is local: a map of independent
// keys is linearizable if each key is (Herlihy and Wing, 1990). The search is theirs with Wing and Gong's, with a memo of the
// configurations already tried (Lowe, 2017).

#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace scree::test {

enum class Op { kInsert, kUpsert, kRemove, kRemoveIfOdd, kRead, kFindOrInsert };

struct Event {
  std::uint64_t key = 0;
  Op op = Op::kRead;
  std::int64_t argument = 0;           // what is written
  bool ok = false;                     // inserted, replaced, removed, found
  std::optional<std::int64_t> result;  // kRead, kFindOrInsert: the value seen
  std::uint64_t invoked = 0;
  std::uint64_t responded = 0;
};

inline std::string to_string(const Event& e) {
  static constexpr const char* kNames[] = {"insert", "upsert", "remove", "remove_if_odd", "read", "find_or_insert"};
  std::ostringstream out;
  out << '[' << e.invoked << ", " << e.responded << "] " << kNames[static_cast<int>(e.op)] << '(' << e.key << ", "
      << e.argument << ") -> " << (e.ok ? "true" : "false");
  if (e.result) out << ", " << *e.result;
  return out.str();
}

// The clock that orders invocations and responses of all recorders. Under a thread sanitizer its ticks must not
// order the operations between them, or they would hide the races that it looks for.
class HistoryClock {
 public:
  std::uint64_t tick() noexcept {
#if defined(__SANITIZE_THREAD__)
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const std::uint64_t now = ticks_.fetch_add(1, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return now;
#else
    return ticks_.fetch_add(1, std::memory_order_seq_cst);
#endif
  }

 private:
  std::atomic<std::uint64_t> ticks_{1};
};

// One thread's part of a history.
class Recorder {
 public:
  explicit Recorder(HistoryClock& clock) : clock_(clock) {}

  // `run(Event&)` performs the operation that the event describes and fills in what it returned.
  template <class Run>
  void record(std::uint64_t key, Op op, std::int64_t argument, Run&& run) {
    Event e;
    e.key = key;
    e.op = op;
    e.argument = argument;
    e.invoked = clock_.tick();
    run(e);
    e.responded = clock_.tick();
    events_.push_back(e);
  }
  const std::vector<Event>& events() const noexcept { return events_; }

 private:
  HistoryClock& clock_;
  std::vector<Event> events_;
};

// Whether a sequential map that holds `value` under the key gives e's results; if so, `value` becomes what it holds then.
inline bool apply(const Event& e, std::optional<std::int64_t>& value) {
  const bool present = value.has_value();
  switch (e.op) {
    case Op::kInsert:
      if (e.ok == present) return false;
      if (e.ok) value = e.argument;
      return true;
    case Op::kUpsert:
      if (e.ok != present) return false;
      value = e.argument;
      return true;
    case Op::kRemove:
      if (e.ok != present) return false;
      value.reset();
      return true;
    case Op::kRemoveIfOdd:
      if (e.ok != (present && *value % 2 != 0)) return false;
      if (e.ok) value.reset();
      return true;
    case Op::kRead: return e.ok == present && e.result == value;
    case Op::kFindOrInsert:
      if (e.ok == present) return false;
      if (!present) value = e.argument;
      return e.result == value;
  }
  return false;
}

inline void sort_by_invocation(std::vector<Event>& events) {
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.invoked < b.invoked; });
}

// `events`: all of one key that is absent at first, sorted by invocation. Nothing if they are linearizable, else the index of the
// first event for which no order found a place.
inline std::optional<std::size_t> find_inexplicable(const std::vector<Event>& events) {
  struct Configuration {
    std::size_t first = 0;           // everything before it has been put in order
    std::vector<std::size_t> ahead;  // ascending: what else has
    std::optional<std::int64_t> value;
    auto operator<=>(const Configuration&) const = default;
  };
  std::size_t furthest = 0;
  std::set<Configuration> tried;
  std::vector<Configuration> open{{}};
  while (!open.empty()) {
    const Configuration c = std::move(open.back());
    open.pop_back();
    if (c.first == events.size()) return std::nullopt;
    furthest = std::max(furthest, c.first);
    // Any operation may come next that was invoked before the first response among those still to come.
    std::uint64_t first_response = UINT64_MAX;
    auto done = c.ahead.begin();
    for (std::size_t i = c.first; i < events.size() && events[i].invoked < first_response; ++i) {
      if (done != c.ahead.end() && *done == i) {
        ++done;
      } else {
        first_response = std::min(first_response, events[i].responded);
      }
    }
    done = c.ahead.begin();
    for (std::size_t i = c.first; i < events.size() && events[i].invoked < first_response; ++i) {
      if (done != c.ahead.end() && *done == i) {
        ++done;
        continue;
      }
      Configuration next = c;
      if (!apply(events[i], next.value)) continue;
      next.ahead.insert(std::lower_bound(next.ahead.begin(), next.ahead.end(), i), i);
      std::size_t passed = 0;
      while (passed < next.ahead.size() && next.ahead[passed] == next.first) ++passed, ++next.first;
      next.ahead.erase(next.ahead.begin(), next.ahead.begin() + static_cast<std::ptrdiff_t>(passed));
      if (tried.insert(next).second) open.push_back(std::move(next));
    }
  }
  return furthest;
}

inline bool is_linearizable(std::vector<Event> events) {
  sort_by_invocation(events);
  return !find_inexplicable(events);
}

// Nothing if every key's history is linearizable, else a description of one that is not.
inline std::optional<std::string> find_violation(const std::vector<Recorder>& recorders) {
  std::map<std::uint64_t, std::vector<Event>> by_key;
  for (const Recorder& r : recorders) {
    for (const Event& e : r.events()) by_key[e.key].push_back(e);
  }
  for (auto& [key, events] : by_key) {
    sort_by_invocation(events);
    const std::optional<std::size_t> at = find_inexplicable(events);
    if (!at) continue;
    std::ostringstream out;
    out << "the history of key " << key << " is not linearizable (event marked with >):\n";
    const std::size_t end = std::min(events.size(), *at + 20);
    for (std::size_t i = *at < 20 ? 0 : *at - 20; i < end; ++i) {
      out << (i == *at ? "> " : "  ") << to_string(events[i]) << '\n';
    }
    return out.str();
  }
  return std::nullopt;
}

}  // namespace scree::test

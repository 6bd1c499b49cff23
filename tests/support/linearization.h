// SPDX-License-Identifier: Apache-2.0
//
// The search of linearizability checkers, for any sequential model: can the operations of a history be put in one order
// that agrees with real time (an operation that returned before another began comes first) and in which the model gives
// every result that was seen? After Herlihy and Wing (1990) and Wing and Gong (1993), with a memo of the configurations
// already tried (Lowe, 2017).

#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace scree::test {

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

// Event has `invoked` and `responded`, ticks of one clock.
template <class Event>
void sort_by_invocation(std::vector<Event>& events) {
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.invoked < b.invoked; });
}

// `events`, sorted by invocation, of an object that is `initial` at first. `apply(event, state)` performs the event on
// the state and returns whether the model gives the event's results. Nothing if the events are linearizable, else the
// index of the first one for which no order found a place. State is copyable and ordered.
template <class State, class Event, class Apply>
std::optional<std::size_t> find_without_place(const std::vector<Event>& events, State initial, Apply apply) {
  struct Configuration {
    std::size_t first = 0;           // everything before it has been put in order
    std::vector<std::size_t> ahead;  // ascending: what else has
    State state;
    auto operator<=>(const Configuration&) const = default;
  };
  std::size_t furthest = 0;
  std::set<Configuration> tried;
  std::vector<Configuration> open;
  open.push_back({0, {}, std::move(initial)});
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
      if (!apply(events[i], next.state)) continue;
      next.ahead.insert(std::lower_bound(next.ahead.begin(), next.ahead.end(), i), i);
      std::size_t passed = 0;
      while (passed < next.ahead.size() && next.ahead[passed] == next.first) ++passed, ++next.first;
      next.ahead.erase(next.ahead.begin(), next.ahead.begin() + static_cast<std::ptrdiff_t>(passed));
      if (tried.insert(next).second) open.push_back(std::move(next));
    }
  }
  return furthest;
}

// The lines of `events` around the one at `at`, which is marked with >.
template <class Event, class Text>
std::string lines_around(const std::vector<Event>& events, std::size_t at, Text text) {
  std::string out;
  const std::size_t end = std::min(events.size(), at + 20);
  for (std::size_t i = at < 20 ? 0 : at - 20; i < end; ++i) out += (i == at ? "> " : "  ") + text(events[i]) + '\n';
  return out;
}

}  // namespace scree::test

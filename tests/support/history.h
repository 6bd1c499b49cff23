// SPDX-License-Identifier: Apache-2.0
//
// Records what concurrent threads did to single keys of a map, and decides whether each key's history is linearizable:
// whether the operations can be put in one order that agrees with real time (an operation that returned before another
// began comes first) and in which a sequential map gives every result that was seen. Linearizability is local: a map of
// independent keys is linearizable if each key is (Herlihy and Wing, 1990).

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/linearization.h"

namespace scree::test {

enum class Op { kInsert, kUpsert, kRemove, kRemoveIfOdd, kRead, kFindOrInsert, kUpdate };

struct Event {
  std::uint64_t key = 0;
  Op op = Op::kRead;
  std::int64_t argument = 0;           // what is written
  bool ok = false;                     // inserted, replaced, removed, found
  std::optional<std::int64_t> result;  // kRead, kFindOrInsert, kUpdate: the value seen
  std::uint64_t invoked = 0;
  std::uint64_t responded = 0;
};

inline std::string to_string(const Event& e) {
  static constexpr const char* kNames[] = {"insert", "upsert",         "remove", "remove_if_odd",
                                           "read",   "find_or_insert", "update"};
  std::ostringstream out;
  out << '[' << e.invoked << ", " << e.responded << "] " << kNames[static_cast<int>(e.op)] << '(' << e.key << ", "
      << e.argument << ") -> " << (e.ok ? "true" : "false");
  if (e.result) out << ", " << *e.result;
  return out.str();
}

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

// Whether a sequential map that holds `value` under the key gives e's results; if so, `value` becomes what it holds
// then.
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
    case Op::kRead:
      return e.ok == present && e.result == value;
    case Op::kFindOrInsert:
      if (e.ok == present) return false;
      if (!present) value = e.argument;
      return e.result == value;
    case Op::kUpdate:
      if (e.ok != present || e.result != value) return false;
      if (present) value = e.argument;
      return true;
  }
  return false;
}

// `events`: all of one key that is absent at first, sorted by invocation. Nothing if they are linearizable, else the
// index of the first event for which no order found a place.
inline std::optional<std::size_t> find_inexplicable(const std::vector<Event>& events) {
  return find_without_place(events, std::optional<std::int64_t>(), apply);
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
    return "the history of key " + std::to_string(key) + " is not linearizable (event marked with >):\n" +
           lines_around(events, *at, to_string);
  }
  return std::nullopt;
}

}  // namespace scree::test

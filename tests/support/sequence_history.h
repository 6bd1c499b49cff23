// SPDX-License-Identifier: Apache-2.0
//
// Records what concurrent threads did to a stack or a queue, and decides whether that is linearizable: whether a
// sequential one, to which the operations are done one after the other in an order that agrees with real time, gives
// every result that was seen. No two pushes have the same value. The search is that of linearization.h; its effort
// grows with the number of operations that overlap and with what the container holds: histories are to be small.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/linearization.h"

namespace scree::test {

// kPushOnto pushes where it saw what was pushed last, or nothing; kPeek sees the next one to be popped, kLast what was
// pushed last; kPopAll takes everything at one instant, kSnapshot sees everything at one; kIsEmpty has 1 or 0.
enum class SequenceOp { kPush, kPushOnto, kPop, kPeek, kLast, kPopAll, kSnapshot, kIsEmpty };

struct SequenceEvent {
  SequenceOp op = SequenceOp::kPush;
  // Pushed, and then what it was pushed onto; popped or seen, in the order of popping; none where it was empty.
  std::vector<std::int64_t> values = {};
  std::uint64_t invoked = 0;
  std::uint64_t responded = 0;
};

inline std::string to_string(const SequenceEvent& e) {
  static constexpr const char* kNames[] = {"push", "push_onto", "pop",      "peek",
                                           "last", "pop_all",   "snapshot", "is_empty"};
  std::string text = "[" + std::to_string(e.invoked) + ", " + std::to_string(e.responded) + "] " +
                     kNames[static_cast<int>(e.op)] + (e.values.empty() ? " of none" : "");
  for (const std::int64_t value : e.values) text += " " + std::to_string(value);
  return text;
}

// The sequential models: what they hold, the next one to be popped first.
struct LastInFirstOut {
  std::deque<std::int64_t> held = {};
  void push(std::int64_t value) { held.push_front(value); }
  std::int64_t last() const { return held.front(); }
  auto operator<=>(const LastInFirstOut&) const = default;
};
struct FirstInFirstOut {
  std::deque<std::int64_t> held = {};
  void push(std::int64_t value) { held.push_back(value); }
  std::int64_t last() const { return held.back(); }
  auto operator<=>(const FirstInFirstOut&) const = default;
};

// Whether `model` gives e's results; if so it holds afterwards what it should.
template <class Model>
bool apply_to(const SequenceEvent& e, Model& model) {
  auto& held = model.held;
  const auto agrees = [&e](auto first, auto last) { return std::equal(e.values.begin(), e.values.end(), first, last); };
  const auto next = held.begin() + (held.empty() ? 0 : 1);
  switch (e.op) {
    case SequenceOp::kPushOnto:
      if (e.values.size() != (held.empty() ? 1u : 2u) || (!held.empty() && e.values.back() != model.last()))
        return false;
      [[fallthrough]];
    case SequenceOp::kPush:
      model.push(e.values.front());
      return true;
    case SequenceOp::kPop:
      if (!agrees(held.begin(), next)) return false;
      held.erase(held.begin(), next);
      return true;
    case SequenceOp::kPeek:
      return agrees(held.begin(), next);
    case SequenceOp::kLast:
      return held.empty() ? e.values.empty() : e.values == std::vector{model.last()};
    case SequenceOp::kPopAll:
      if (!agrees(held.begin(), held.end())) return false;
      held.clear();
      return true;
    case SequenceOp::kSnapshot:
      return agrees(held.begin(), held.end());
    case SequenceOp::kIsEmpty:
      return (e.values.front() != 0) == held.empty();
  }
  return false;
}

// One thread's part of a history.
class SequenceRecorder {
 public:
  explicit SequenceRecorder(HistoryClock& clock) : clock_(clock) {}

  // `run()` performs the operation. It returns the event's values, and may first change its kind.
  template <class Run>
  void record(SequenceOp op, Run&& run) {
    SequenceEvent e{.op = op};
    e.invoked = begin();
    e.values = run(e.op);
    e.responded = clock_.tick();
    events_.push_back(std::move(e));
  }
  // For operations that are made up of several events: each took place at some time between begin() and now.
  std::uint64_t begin() { return clock_.tick(); }
  void record_since(std::uint64_t begin, SequenceOp op, std::vector<std::int64_t> values) {
    events_.push_back({op, std::move(values), begin, clock_.tick()});
  }
  const std::vector<SequenceEvent>& events() const noexcept { return events_; }

 private:
  HistoryClock& clock_;
  std::vector<SequenceEvent> events_;
};

// Nothing if the history of a container that is empty at first is linearizable, else a description. Model is
// LastInFirstOut, FirstInFirstOut, or another like them.
template <class Model>
std::optional<std::string> find_disorder(std::vector<SequenceEvent> events) {
  sort_by_invocation(events);
  const auto at = find_without_place(events, Model(), &apply_to<Model>);
  if (!at) return std::nullopt;
  return "the history is not linearizable (event marked with >):\n" +
         lines_around(events, *at, [](const SequenceEvent& e) { return to_string(e); });
}
template <class Model>
std::optional<std::string> find_disorder(const std::vector<SequenceRecorder>& recorders) {
  std::vector<SequenceEvent> events;
  for (const SequenceRecorder& r : recorders) events.insert(events.end(), r.events().begin(), r.events().end());
  return find_disorder<Model>(std::move(events));
}

}  // namespace scree::test

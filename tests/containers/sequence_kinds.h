// SPDX-License-Identifier: Apache-2.0
//
// The containers whose entries are pushed and popped, and in what they differ, for tests of both.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <scree/queue.h>
#include <scree/stack.h>

#include "support/sequence_history.h"

namespace scree::test {

struct StackKind {
  template <class T>
  using Container = Stack<T>;
  using Model = LastInFirstOut;
  static constexpr const char* kName = "Stack";
  static constexpr bool kLastInFirstOut = true;
  static constexpr bool kSeesOneInstant = true;  // pop_all() and iter()
  // Sync points: a push is about to take effect; a condition was true of what it was asked about; push_if has moved its
  // value, and asks again if everything is popped now.
  static constexpr const char* kPushing = "stack:push:linked";
  static constexpr const char* kPushingIf = "stack:push_if:linked";
  static constexpr const char* kMovedIf = "stack:push_if:linked";
  static constexpr const char* kPoppingIf = "stack:pop:read";
};

struct QueueKind {
  template <class T>
  using Container = Queue<T>;
  using Model = FirstInFirstOut;
  static constexpr const char* kName = "Queue";
  static constexpr bool kLastInFirstOut = false;
  static constexpr bool kSeesOneInstant = false;
  static constexpr const char* kPushing = "queue:push:constructed";
  static constexpr const char* kPushingIf = "queue:push_if:asked";
  static constexpr const char* kMovedIf = "queue:push:constructed";
  static constexpr const char* kPoppingIf = "queue:pop_if:asked";
};

using SequenceKinds = testing::Types<StackKind, QueueKind>;
struct SequenceKindName {
  template <class Kind>
  static std::string GetName(int) {
    return Kind::kName;
  }
};

// The order in which `pushed` are popped.
template <class Kind, class T>
std::vector<T> as_popped(std::vector<T> pushed) {
  if (Kind::kLastInFirstOut) std::reverse(pushed.begin(), pushed.end());
  return pushed;
}

// So that they are popped in this order.
template <class Kind, class T>
void push_to_be_popped(typename Kind::template Container<T>& container, const std::vector<T>& values) {
  for (const T& value : as_popped<Kind>(values)) container.push(value);
}

template <class Range>
auto all_of(const Range& range) {
  using T = typename decltype(range.begin())::value_type;
  return std::vector<T>(range.begin(), std::ranges::next(range.begin(), range.end()));
}

// What it holds, in the order of popping.
template <class Container>
auto contents(const Container& container) {
  const ebr::Barrier barrier;
  return all_of(container.iter(barrier));
}

template <class Container>
auto pop_everything(Container& container) {
  std::vector<typename Container::value_type> popped;
  while (const auto one = container.pop()) popped.push_back(*one);
  return popped;
}

}  // namespace scree::test

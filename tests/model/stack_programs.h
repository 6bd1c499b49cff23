// SPDX-License-Identifier: Apache-2.0
//
// Small programs over Stack, and over the ownership of its entries, for the explorer. stack_model_test.cc expects them
// to be right, and to fail in one way each when a step is broken.

#pragma once

#include <cstddef>
#include <initializer_list>
#include <utility>

#include <scree/stack.h>

#include "ebr_programs.h"
#include "model/explorer.h"

namespace scree::model {

using Items = Stack<Item>;

// A stack of items that are counted as they are destroyed, and a place for a handle that goes from thread to thread.
struct Stacked : Registered {
  Items stack;
  Items::Handle handle;
  Atomic<int> destroyed{0};
  Plain<int> popped[3] = {0, 0, 0};  // by each thread: the number of the item, or 0

  Items::Handle push(int number) { return stack.emplace(number, &destroyed); }
  int pop() {
    const Items::Handle popped_one = stack.pop();
    return popped_one ? popped_one->value() : 0;
  }
  void expect_destroyed(int n) {
    expect_all_is_freed();
    check(destroyed.load(memory_order_relaxed) == n, "each entry is destroyed once");
  }
};
// Whatever the stack still holds is popped, in this order.
inline void expect_holds(Stacked& s, std::initializer_list<int> newest_first) {
  for (const int number : newest_first) check(s.pop() == number, "the stack holds what it should, in order");
  check(s.stack.is_empty() && s.pop() == 0, "and no more");
}

inline void push_beside_push(Program& p) {
  auto& s = p.make<Stacked>();
  for (const int number : {1, 2}) {
    p.thread([&s, number] {
      s.begin(number);
      s.push(number);
    });
  }
  p.at_end([&s] {
    const int newest = s.pop();
    check(newest == 1 || newest == 2, "both are there");
    expect_holds(s, {3 - newest});
    s.expect_destroyed(2);
  });
}

// What is popped is whole. The item was made by the other thread.
inline void pop_beside_push(Program& p) {
  auto& s = p.make<Stacked>();
  p.thread([&s] {
    s.begin(0);
    s.push(1);
    s.push(2);
  });
  p.thread([&s] {
    s.begin(1);
    s.popped[1] = s.pop();
  });
  p.at_end([&s] {
    if (s.popped[1] == 0) expect_holds(s, {2, 1});
    if (s.popped[1] == 1) expect_holds(s, {2});
    if (s.popped[1] == 2) expect_holds(s, {1});
    s.expect_destroyed(2);
  });
}

// A pop that fails finds what a third thread pushed meanwhile.
inline void pop_beside_push_and_pop(Program& p) {
  auto& s = p.make<Stacked>();
  s.push(1);
  p.thread([&s] {
    s.begin(0);
    s.push(2);
  });
  p.thread([&s] {
    s.begin(1);
    s.popped[1] = s.pop();
  });
  p.at_end([&s] {
    expect_holds(s, s.popped[1] == 1 ? std::initializer_list<int>{2} : std::initializer_list<int>{1});
    s.expect_destroyed(2);
  });
}

// Pops the two newest and pushes one while another thread is about to exchange the newest for the one below: were an
// entry used again, that would succeed.
inline void pop_beside_pops_and_a_push(Program& p) {
  auto& s = p.make<Stacked>();
  s.push(1);
  s.push(2);
  p.thread([&s] {
    s.begin(0);
    s.popped[0] = s.pop();
  });
  p.thread([&s] {
    s.begin(1);
    s.popped[1] = s.pop();
    s.popped[2] = s.pop();
    ebr::collect();
    s.push(3);
  });
  p.at_end([&s] {
    const int left = s.pop();
    const int all[] = {s.popped[0], s.popped[1], s.popped[2], left};
    int sum = 0;
    for (const int number : all) sum += 1 << (2 * number);
    check(sum == (1 << 2) + (1 << 4) + (1 << 6) + 1 || s.popped[0] == 3 || s.popped[2] == 0,
          "each comes out once, and one finds it empty or takes the last");
    expect_holds(s, {});
    s.expect_destroyed(3);
  });
}

// pop_all takes what a whole number of pushes and pops has left.
inline void pop_all_beside_push_and_pop(Program& p) {
  auto& s = p.make<Stacked>();
  s.push(1);
  p.thread([&s] {
    s.begin(0);
    s.push(2);
    s.popped[0] = s.pop();
  });
  p.thread([&s] {
    s.begin(1);
    int expected = 0;
    for (const Item& item : s.stack.pop_all()) {
      check(expected == 0 || item.value() == expected, "what is taken is in order");
      expected = item.value() - 1;
      s.popped[1] = s.popped[1] + item.value();
    }
  });
  p.at_end([&s] {
    const int left = s.pop();
    check(s.popped[0] + s.popped[1] + left == 3, "each comes out once");
    expect_holds(s, {});
    s.expect_destroyed(2);
  });
}

// Whoever reads under a barrier sees what the stack held at one instant, and nothing of it is freed meanwhile.
// `read(Stacked&, const Barrier&)` does that.
template <class Read>
void read_beside_pops(Program& p, Read read) {
  auto& s = p.make<Stacked>();
  s.push(1);
  s.push(2);
  p.thread([&s, read] {
    s.begin(0);
    const Barrier barrier;
    read(s, barrier);
  });
  p.thread([&s] {
    s.begin(1);
    s.pop();
    s.pop();
    ebr::collect();
  });
  p.at_end([&s] { s.expect_destroyed(2); });
}
inline void iterate_beside_pops(Program& p) {
  read_beside_pops(p, [](Stacked& s, const Barrier& barrier) {
    const auto range = s.stack.iter(barrier);
    auto at = range.begin();
    for (const int number : {2, 1}) {
      if (at == range.end()) continue;
      if (at->value() == number) ++at;
    }
    check(at == range.end(), "the rest of the stack, in order");
  });
}
inline void peek_beside_pops(Program& p) {
  read_beside_pops(p, [](Stacked& s, const Barrier& barrier) {
    if (const Item* item = s.stack.peek(barrier)) check(item->value() == 1 || item->value() == 2, "it is whole");
  });
}

// Readers of what another thread has just pushed.
template <class Read>
void read_beside_push(Program& p, Read read) {
  auto& s = p.make<Stacked>();
  p.thread([&s] {
    s.begin(0);
    s.push(1);
  });
  p.thread([&s, read] {
    s.begin(1);
    read(s);
  });
  p.at_end([&s] {
    while (s.pop() != 0) {
    }
    expect_all_is_freed();
  });
}
inline void peek_beside_push(Program& p) {
  read_beside_push(p, [](Stacked& s) {
    s.stack.peek_with([](const Item* item) { check(item == nullptr || item->value() == 1, "it is whole"); });
  });
}
inline void iterate_beside_push(Program& p) {
  read_beside_push(p, [](Stacked& s) {
    const Barrier barrier;
    for (const Item& item : s.stack.iter(barrier)) check(item.value() == 1, "it is whole");
  });
}
inline void pop_all_beside_push(Program& p) {
  read_beside_push(p, [](Stacked& s) {
    for (const Item& item : s.stack.pop_all()) check(item.value() == 1, "it is whole");
  });
}
inline void push_if_beside_push(Program& p) {
  read_beside_push(p, [](Stacked& s) {
    s.stack.push_if(Item(2), [](const Item* newest) { return newest == nullptr || newest->value() == 1; });
  });
}

// One of two finds the stack empty.
inline void push_if_beside_push_if(Program& p) {
  auto& s = p.make<Stacked>();
  for (const int number : {1, 2}) {
    p.thread([&s, number] {
      s.begin(number);
      const auto result = s.stack.push_if(Item(number), [](const Item* newest) {
        check(newest == nullptr || newest->value() != 0, "it is whole");
        return newest == nullptr;
      });
      check(result || result.refused->value() == number, "what is refused comes back");
      s.popped[number] = result ? 1 : 0;
    });
  }
  p.at_end([&s] {
    check(s.popped[1] + s.popped[2] == 1, "one is pushed");
    check(s.pop() == (s.popped[1] == 1 ? 1 : 2) && s.pop() == 0, "it alone is there");
    expect_all_is_freed();
  });
}

// Each pops nothing but its own number.
inline void pop_if_beside_pop_if(Program& p) {
  auto& s = p.make<Stacked>();
  s.push(1);
  s.push(2);
  for (const int number : {1, 2}) {
    p.thread([&s, number] {
      s.begin(number);
      const auto result = s.stack.pop_if([number](const Item& newest) { return newest.value() == number; });
      check(number == 1 || result.outcome == Items::PopOutcome::kPopped, "the newest is there");
      s.popped[number] = result ? result.entry->value() : 0;
    });
  }
  p.at_end([&s] {
    check(s.popped[2] == 2 && (s.popped[1] == 0 || s.popped[1] == 1), "what was asked about was popped");
    if (s.popped[1] == 0) check(s.pop() == 1, "what was refused is there");
    expect_holds(s, {});
    s.expect_destroyed(2);
  });
}

// The handle of push() and the entry's other owner go at the same time. `other(Stacked&)` is what goes on beside; both
// owners use the entry before.
template <class Other>
void drop_the_handle_beside(Program& p, Other other) {
  auto& s = p.make<Stacked>();
  s.handle = s.push(1);
  p.thread([&s] {
    s.begin(0);
    check(s.handle->value() == 1, "the pusher's entry is there");
    s.handle.reset();
    ebr::collect();
  });
  p.thread([&s, other] {
    s.begin(1);
    other(s);
    ebr::collect();
  });
  p.at_end([&s] { s.expect_destroyed(1); });
}
inline void drop_the_handle_beside_pop(Program& p) {
  drop_the_handle_beside(p, [](Stacked& s) { check(s.pop() == 1, "it is whole"); });
}
inline void drop_the_handle_beside_pop_all(Program& p) {
  drop_the_handle_beside(p, [](Stacked& s) {
    for (const Item& item : s.stack.pop_all()) check(item.value() == 1, "it is whole");
  });
}
inline void take_beside_the_handle(Program& p) {
  auto& s = p.make<Stacked>();
  s.handle = s.push(1);
  p.thread([&s] {
    s.begin(0);
    s.handle.reset();
  });
  p.thread([&s] {
    s.begin(1);
    const Item item = s.stack.pop().take();
    check(item.value() == 1, "it is whole");
    ebr::collect();
  });
  p.at_end([&s] {
    expect_all_is_freed();
    check(s.destroyed.load(memory_order_relaxed) == 2, "the entry and what was taken out");
  });
}

// Three threads: each owner goes on one, a third ends the grace period and frees.
inline void drop_both_beside_a_collector(Program& p) {
  auto& s = p.make<Stacked>();
  s.handle = s.push(1);
  p.thread([&s] {
    s.begin(0);
    check(s.handle->value() == 1, "the pusher's entry is there");
    s.handle.reset();
  });
  p.thread([&s] {
    s.begin(1);
    check(s.pop() == 1, "it is whole");
    ebr::suspend();
  });
  p.thread([&s] {
    s.begin(2);
    ebr::collect();
  });
  p.at_end([&s] { s.expect_destroyed(1); });
}

// A reference that was got under a barrier outlives both owners.
inline void peek_beside_both_owners(Program& p) {
  auto& s = p.make<Stacked>();
  s.handle = s.push(1);
  p.thread([&s] {
    s.begin(0);
    const Barrier barrier;
    if (const Item* item = s.stack.peek(barrier)) check(item->value() == 1, "what is borrowed is intact");
  });
  p.thread([&s] {
    s.begin(1);
    s.pop();
    ebr::collect();
  });
  p.thread([&s] {
    s.begin(2);
    s.handle.reset();
  });
  p.at_end([&s] { s.expect_destroyed(1); });
}

// The stack itself goes, beside the handle of push().
struct Goes : Stacked {
  Plain<Items*> going = new Items;
};
inline void drop_the_handle_beside_the_end_of_the_stack(Program& p) {
  auto& s = p.make<Goes>();
  s.handle = static_cast<Items*>(s.going)->emplace(1, &s.destroyed);
  p.thread([&s] {
    s.begin(0);
    check(s.handle->value() == 1, "the pusher's entry is there");
    s.handle.reset();
  });
  p.thread([&s] {
    s.begin(1);
    delete static_cast<Items*>(s.going);
    ebr::collect();
  });
  p.at_end([&s] { s.expect_destroyed(1); });
}

}  // namespace scree::model

// SPDX-License-Identifier: Apache-2.0
//
// Small programs over Stack, and over the ownership of its entries, for the explorer. stack_model_test.cc expects them
// to be right, and to fail in one way each when a step is broken.

#pragma once

#include <initializer_list>

#include <scree/stack.h>

#include "ebr_programs.h"
#include "model/explorer.h"
#include "sequence_programs.h"

namespace scree::model {

using Stacked = Sequenced<Stack<Item>, true>;

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
    if (s.popped[1] == 0) s.expect_holds({2, 1});
    if (s.popped[1] == 1) s.expect_holds({2});
    if (s.popped[1] == 2) s.expect_holds({1});
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
    s.expect_holds(s.popped[1] == 1 ? std::initializer_list<int>{2} : std::initializer_list<int>{1});
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
    s.expect_holds({});
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
    for (const Item& item : s.container->pop_all()) {
      check(expected == 0 || item.value() == expected, "what is taken is in order");
      expected = item.value() - 1;
      s.popped[1] = s.popped[1] + item.value();
    }
  });
  p.at_end([&s] {
    const int left = s.pop();
    check(s.popped[0] + s.popped[1] + left == 3, "each comes out once");
    s.expect_holds({});
    s.expect_destroyed(2);
  });
}

inline void pop_all_beside_push(Program& p) {
  read_beside_push<Stacked>(p, [](Stacked& s) {
    for (const Item& item : s.container->pop_all()) {
      check(item.value() == 1, "it is whole");
      s.popped[1] = 1;
    }
  });
}
inline void drop_the_handle_beside_pop_all(Program& p) {
  drop_the_handle_beside<Stacked>(p, 0, [](Stacked& s) {
    for (const Item& item : s.container->pop_all()) check(item.value() == 1, "it is whole");
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
    const Item item = s.container->pop().take();
    check(item.value() == 1, "it is whole");
    ebr::collect();
  });
  p.at_end([&s] {
    expect_all_is_freed();
    check(s.destroyed.load(memory_order_relaxed) == 2, "the entry and what was taken out");
  });
}

inline void drop_both_beside_a_collector(Program& p) {
  auto& s = p.make<Stacked>();
  s.handle = s.push(1);
  drop_both_beside_a_collector(p, s, 1, [](Stacked& of) { check(of.pop() == 1, "it is whole"); });
}

// A reference that was got under a barrier outlives both owners.
inline void peek_beside_both_owners(Program& p) {
  auto& s = p.make<Stacked>();
  s.handle = s.push(1);
  p.thread([&s] {
    s.begin(0);
    const Barrier barrier;
    if (const Item* item = s.container->peek(barrier)) check(item->value() == 1, "what is borrowed is intact");
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

}  // namespace scree::model

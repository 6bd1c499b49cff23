// SPDX-License-Identifier: Apache-2.0
//
// Small programs for the explorer that Stack and Queue have in common; they differ in the order of popping at most.
// stack_programs.h and queue_programs.h have the others.

#pragma once

#include <initializer_list>
#include <memory>
#include <type_traits>

#include "ebr_programs.h"
#include "model/explorer.h"

namespace scree::model {

// A container, what each thread popped from it (the number of the item, or 0), and a place for a handle that goes from
// thread to thread. Its entries are of Item, which are counted as they are destroyed, or int, which need no destructor.
template <class Of, bool kLastInFirstOut>
struct Sequenced : Registered {
  using Container = Of;
  using Entry = typename Container::value_type;
  // Which of 1 and 2, pushed in this order, is popped first, and which then.
  static constexpr int kFirst = kLastInFirstOut ? 2 : 1, kThen = 3 - kFirst;

  std::unique_ptr<Container> container = std::make_unique<Container>();
  typename Container::Handle handle;
  Atomic<int> destroyed{0};
  Plain<int> popped[3] = {0, 0, 0};

  typename Container::Handle push(int number) {
    if constexpr (std::is_same_v<Entry, Item>) {
      return container->emplace(number, &destroyed);
    } else {
      return container->push(number);
    }
  }
  int pop() {
    const auto one = container->pop();
    return one ? number_of(*one) : 0;
  }
  static int number_of(const Item& item) { return item.value(); }
  static int number_of(int number) { return number; }

  // What is still there is popped, in this order.
  void expect_holds(std::initializer_list<int> as_popped) {
    for (const int number : as_popped) check(pop() == number, "the container holds what it should, in order");
    check(container->is_empty() && pop() == 0, "and no more");
  }
  // The container goes, and all is freed.
  void end() {
    container.reset();
    expect_all_is_freed();
  }
  void expect_destroyed(int n) {
    end();
    const int expected = std::is_same_v<Entry, Item> ? n : 0;
    check(destroyed.load(memory_order_relaxed) == expected, "each entry is destroyed once");
  }
};

template <class S>
void push_beside_push(Program& p) {
  auto& s = p.make<S>();
  for (const int number : {1, 2}) {
    p.thread([&s, number] {
      s.begin(number);
      s.push(number);
    });
  }
  p.at_end([&s] {
    const int first = s.pop();
    check(first == 1 || first == 2, "both are there");
    s.expect_holds({3 - first});
    s.expect_destroyed(2);
  });
}

// `read(S&, const Barrier&)` under a barrier, while the two entries are popped and collected: nothing of what it sees
// is freed meanwhile.
template <class S, class Read>
void read_beside_pops(Program& p, Read read) {
  auto& s = p.make<S>();
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
template <class S>
void iterate_beside_pops(Program& p) {
  read_beside_pops<S>(p, [](S& s, const Barrier& barrier) {
    const auto range = s.container->iter(barrier);
    auto at = range.begin();
    for (const int number : {S::kFirst, S::kThen}) {
      if (at == range.end()) continue;
      if (at->value() == number) ++at;
    }
    check(at == range.end(), "what is left, in order");
  });
}
template <class S>
void peek_beside_pops(Program& p) {
  read_beside_pops<S>(p, [](S& s, const Barrier& barrier) {
    if (const Item* item = s.container->peek(barrier)) check(item->value() == 1 || item->value() == 2, "it is whole");
  });
}

// `read(S&)` beside the push of what it finds there. What it takes out it adds to popped[1].
template <class S, class Read>
void read_beside_push(Program& p, Read read) {
  auto& s = p.make<S>();
  p.thread([&s] {
    s.begin(0);
    s.push(1);
  });
  p.thread([&s, read] {
    s.begin(1);
    read(s);
  });
  p.at_end([&s] {
    int sum = s.popped[1];
    while (const int number = s.pop()) sum += number;
    check(sum >= 1, "what was pushed is there");
    s.end();
  });
}
template <class S>
void peek_beside_push(Program& p) {
  read_beside_push<S>(p, [](S& s) {
    s.container->peek_with([](const Item* item) { check(item == nullptr || item->value() == 1, "it is whole"); });
  });
}
template <class S>
void iterate_beside_push(Program& p) {
  read_beside_push<S>(p, [](S& s) {
    const Barrier barrier;
    for (const Item& item : s.container->iter(barrier)) check(item.value() == 1, "it is whole");
  });
}
template <class S>
void push_if_beside_push(Program& p) {
  read_beside_push<S>(p, [](S& s) {
    s.container->push_if(Item(2), [](const Item* newest) { return newest == nullptr || newest->value() == 1; });
  });
}

// One of two finds the container empty.
template <class S>
void push_if_beside_push_if(Program& p) {
  auto& s = p.make<S>();
  for (const int number : {1, 2}) {
    p.thread([&s, number] {
      s.begin(number);
      const auto result = s.container->push_if(Item(number), [](const Item* newest) {
        check(newest == nullptr || newest->value() != 0, "it is whole");
        return newest == nullptr;
      });
      check(result || result.refused->value() == number, "what is refused comes back");
      s.popped[number] = result ? 1 : 0;
    });
  }
  p.at_end([&s] {
    check(s.popped[1] + s.popped[2] == 1, "one is pushed");
    s.expect_holds({s.popped[1] == 1 ? 1 : 2});
    s.end();
  });
}

// Each pops nothing but its own number.
template <class S>
void pop_if_beside_pop_if(Program& p) {
  auto& s = p.make<S>();
  s.push(1);
  s.push(2);
  for (const int number : {1, 2}) {
    p.thread([&s, number] {
      s.begin(number);
      const auto result = s.container->pop_if([number](const Item& next) { return next.value() == number; });
      check(number == S::kThen || result, "the next is there");
      s.popped[number] = result ? result.entry->value() : 0;
    });
  }
  p.at_end([&s] {
    const int then = s.popped[S::kThen];
    check(s.popped[S::kFirst] == S::kFirst && (then == 0 || then == S::kThen), "what was asked about was popped");
    if (then == 0) check(s.pop() == S::kThen, "what was refused is there");
    s.expect_holds({});
    s.expect_destroyed(2);
  });
}

// The handle of push() and the entry's other owner go at the same time, with `behind` more entries. `other(S&)` is what
// goes on beside; both owners use the entry before.
template <class S, class Other>
void drop_the_handle_beside(Program& p, int behind, Other other) {
  auto& s = p.make<S>();
  s.handle = s.push(1);
  for (int n = 0; n < behind; ++n) s.push(2 + n);
  p.thread([&s] {
    s.begin(0);
    check(s.number_of(*s.handle) == 1, "the pusher's entry is there");
    s.handle.reset();
    ebr::collect();
  });
  p.thread([&s, other] {
    s.begin(1);
    other(s);
    ebr::collect();
  });
  p.at_end([&s, behind] {
    if (s.container != nullptr) s.expect_holds({});
    s.expect_destroyed(1 + behind);
  });
}
// Of a stack, with nothing behind.
template <class S, int kBehind = 0>
void drop_the_handle_beside_pop(Program& p) {
  drop_the_handle_beside<S>(p, kBehind, [](S& s) {
    for (int n = 0; n <= kBehind; ++n) check(s.pop() == 1 + n, "it is whole");
  });
}
template <class S>
void drop_the_handle_beside_the_end_of_the_container(Program& p) {
  drop_the_handle_beside<S>(p, 0, [](S& s) { s.container.reset(); });
}

// Three threads: each owner goes on one, by `pop(S&)`, which takes out all that is there; a third ends the grace period
// and frees. `s` has the handle of 1, and so many `entries`.
template <class S, class Pop>
void drop_both_beside_a_collector(Program& p, S& s, int entries, Pop pop) {
  p.thread([&s] {
    s.begin(0);
    check(s.number_of(*s.handle) == 1, "the pusher's entry is there");
    s.handle.reset();
  });
  p.thread([&s, pop] {
    s.begin(1);
    pop(s);
    ebr::suspend();
  });
  p.thread([&s] {
    s.begin(2);
    ebr::collect();
  });
  p.at_end([&s, entries] {
    s.expect_holds({});
    s.expect_destroyed(entries);
  });
}

}  // namespace scree::model

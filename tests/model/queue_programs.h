// SPDX-License-Identifier: Apache-2.0
//
// Small programs over Queue, whose segments have two places here, for the explorer. queue_model_test.cc expects them to
// be right, and to fail in one way each when a step is broken.

#pragma once

#include <initializer_list>
#include <optional>
#include <type_traits>
#include <utility>

#include <scree/queue.h>

#include "ebr_programs.h"
#include "model/explorer.h"

namespace scree::model {

// A queue, what each thread popped from it (the number of the item, or 0), and a place for a handle that goes from
// thread to thread. Entry is Item, or int: entries that need no destructor are given back in another way.
template <class Entry>
struct Queued : Registered {
  std::optional<Queue<Entry>> queue{std::in_place};
  typename Queue<Entry>::Handle handle;
  Atomic<int> destroyed{0};
  Plain<int> popped[3] = {0, 0, 0};

  typename Queue<Entry>::Handle push(int number) {
    if constexpr (std::is_same_v<Entry, Item>) {
      return queue->emplace(number, &destroyed);
    } else {
      return queue->push(number);
    }
  }
  int pop() {
    const auto one = queue->pop();
    return one ? number_of(*one) : 0;
  }
  // So that what is pushed next lies at the end of a segment, or at its beginning.
  void use_up(int places) {
    for (int n = 0; n < places; ++n) {
      push(9);
      pop();
    }
  }
  static int number_of(const Item& item) { return item.value(); }
  static int number_of(int number) { return number; }

  // What is still there is popped, in this order.
  void expect_holds(std::initializer_list<int> oldest_first) {
    for (const int number : oldest_first) check(pop() == number, "the queue holds what it should, in order");
    check(queue->is_empty() && pop() == 0, "and no more");
  }
  // The queue goes, and all is freed.
  void end() {
    queue.reset();
    expect_all_is_freed();
  }
  void expect_destroyed(int n) {
    end();
    check(destroyed.load(memory_order_relaxed) == n, "each entry is destroyed once");
  }
};
using Items = Queued<Item>;
using Numbers = Queued<int>;

template <class Entry>
void push_beside_push(Program& p) {
  auto& q = p.make<Queued<Entry>>();
  for (const int number : {1, 2}) {
    p.thread([&q, number] {
      q.begin(number);
      q.push(number);
    });
  }
  p.at_end([&q] {
    const int oldest = q.pop();
    check(oldest == 1 || oldest == 2, "both are there");
    q.expect_holds({3 - oldest});
    q.end();
  });
}

// One thread pushes so many, another one pops so many.
template <class Entry, int kPushes, int kPops>
void push_beside_pop(Program& p) {
  auto& q = p.make<Queued<Entry>>();
  p.thread([&q] {
    q.begin(0);
    for (int n = 1; n <= kPushes; ++n) q.push(n);
  });
  p.thread([&q] {
    q.begin(1);
    int before = 0;
    for (int n = 0; n < kPops; ++n) {
      const int number = q.pop();
      check(number == 0 || number == before + 1, "what comes out is in order, and nothing is left out");
      if (number != 0) before = number;
    }
    q.popped[1] = before;
  });
  p.at_end([&q] {
    for (int n = q.popped[1] + 1; n <= kPushes; ++n) check(q.pop() == n, "the rest is there");
    q.expect_holds({});
    q.end();
  });
}

// The first segment is used up while others leave it.
inline void pops_across_segments(Program& p) {
  auto& q = p.make<Items>();
  for (int n = 1; n <= 3; ++n) q.push(n);
  p.thread([&q] {
    q.begin(0);
    q.popped[0] = q.pop();
  });
  p.thread([&q] {
    q.begin(1);
    q.popped[1] = q.pop();
    q.popped[2] = q.pop();
    check(q.popped[1] < q.popped[2], "in order");
  });
  p.at_end([&q] {
    check(q.popped[0] + q.popped[1] + q.popped[2] == 6, "each comes out once");
    q.expect_holds({});
    q.expect_destroyed(3);
  });
}
// One makes the second segment, another goes on to it, a third comes to it from there.
inline void pops_across_a_new_segment(Program& p) {
  auto& q = p.make<Items>();
  q.push(1);
  q.push(2);
  p.thread([&q] {
    q.begin(0);
    q.push(3);
  });
  for (const int number : {1, 2}) {
    p.thread([&q, number] {
      q.begin(number);
      q.popped[number] = q.pop() + q.pop();
    });
  }
  p.at_end([&q] {
    int sum = q.popped[1] + q.popped[2];
    while (const int number = q.pop()) sum += number;
    check(sum == 6, "each comes out once");
    q.end();
  });
}
// Two pushers come to the end of a segment.
inline void pushes_across_segments(Program& p) {
  auto& q = p.make<Items>();
  q.push(1);
  for (const int number : {2, 4}) {
    p.thread([&q, number] {
      q.begin(number / 2);
      q.push(number);
      q.push(number + 1);
    });
  }
  p.at_end([&q] {
    check(q.pop() == 1, "the first one comes first");
    int last[] = {1, 3};
    for (int n = 0; n < 4; ++n) {
      const int number = q.pop();
      int& before = last[number < 4 ? 0 : 1];
      check(number == before + 1, "each pusher's entries come in its order");
      before = number;
    }
    q.expect_holds({});
    q.expect_destroyed(5);
  });
}
// A pop may give up the place of a push, which goes to another one.
inline void pops_beside_two_pushes(Program& p) {
  auto& q = p.make<Items>();
  for (const int number : {1, 2}) {
    p.thread([&q, number] {
      q.begin(number - 1);
      q.push(number);
    });
  }
  p.thread([&q] {
    q.begin(2);
    q.popped[0] = q.pop();
    q.popped[1] = q.pop();
  });
  p.at_end([&q] {
    int sum = q.popped[0] + q.popped[1];
    while (const int number = q.pop()) sum += number;
    check(sum == 3, "each comes out once");
    q.expect_holds({});
    q.end();
  });
}

// `read(Items&, const Barrier&)` under a barrier, while the two entries are popped and collected.
template <class Read>
void read_beside_pops(Program& p, Read read) {
  auto& q = p.make<Items>();
  q.push(1);
  q.push(2);
  p.thread([&q, read] {
    q.begin(0);
    const Barrier barrier;
    read(q, barrier);
  });
  p.thread([&q] {
    q.begin(1);
    q.pop();
    q.pop();
    ebr::collect();
  });
  p.at_end([&q] { q.expect_destroyed(2); });
}
inline void iterate_beside_pops(Program& p) {
  read_beside_pops(p, [](Items& q, const Barrier& barrier) {
    int before = 0;
    for (const Item& item : q.queue->iter(barrier)) {
      check(item.value() == before + 1 || (before == 0 && item.value() == 2), "in order, nothing left out");
      before = item.value();
    }
  });
}
inline void peek_beside_pops(Program& p) {
  read_beside_pops(p, [](Items& q, const Barrier& barrier) {
    if (const Item* item = q.queue->peek(barrier)) check(item->value() == 1 || item->value() == 2, "it is whole");
  });
}

// Readers of what another thread has just pushed.
template <class Read>
void read_beside_push(Program& p, Read read) {
  auto& q = p.make<Items>();
  p.thread([&q] {
    q.begin(0);
    q.push(1);
  });
  p.thread([&q, read] {
    q.begin(1);
    read(q);
  });
  p.at_end([&q] {
    int sum = 0;
    while (const int number = q.pop()) sum += number;
    check(sum >= 1, "what was pushed is there");
    q.end();
  });
}
inline void peek_beside_push(Program& p) {
  read_beside_push(p, [](Items& q) {
    q.queue->peek_with([](const Item* item) { check(item == nullptr || item->value() == 1, "it is whole"); });
  });
}
inline void iterate_beside_push(Program& p) {
  read_beside_push(p, [](Items& q) {
    const Barrier barrier;
    for (const Item& item : q.queue->iter(barrier)) check(item.value() == 1, "it is whole");
  });
}
inline void push_if_beside_push(Program& p) {
  read_beside_push(p, [](Items& q) {
    q.queue->push_if(Item(2), [](const Item* newest) { return newest == nullptr || newest->value() == 1; });
  });
}

// One of two finds the queue empty.
inline void push_if_beside_push_if(Program& p) {
  auto& q = p.make<Items>();
  for (const int number : {1, 2}) {
    p.thread([&q, number] {
      q.begin(number);
      const auto result = q.queue->push_if(Item(number), [](const Item* newest) {
        check(newest == nullptr || newest->value() != 0, "it is whole");
        return newest == nullptr;
      });
      check(result || result.refused->value() == number, "what is refused comes back");
      q.popped[number] = result ? 1 : 0;
    });
  }
  p.at_end([&q] {
    check(q.popped[1] + q.popped[2] == 1, "one is pushed");
    q.expect_holds({q.popped[1] == 1 ? 1 : 2});
    q.end();
  });
}

// Pushes behind 1 while another thread takes that out. If that finds the queue empty afterwards, 1 was not there any
// more when its successor came: the condition was not true then.
template <int kBefore>
void push_if_beside_pops(Program& p) {
  auto& q = p.make<Numbers>();
  q.use_up(kBefore);
  q.push(1);
  p.thread([&q] {
    q.begin(0);
    const auto result = q.queue->push_if(2, [](const int* newest) { return newest != nullptr && *newest == 1; });
    q.popped[0] = result ? 1 : 0;
  });
  p.thread([&q] {
    q.begin(1);
    check(q.pop() == 1, "it is there");
    q.popped[1] = q.pop();
  });
  p.at_end([&q] {
    check(q.popped[0] == (q.popped[1] == 2 ? 1 : 0), "what was pushed behind 1 was there after it");
    q.expect_holds({});
    q.end();
  });
}
// A push before the pop of what was there: the queue is never empty, whoever looks.
template <int kBefore, class Look>
void look_into_a_queue_that_is_never_empty(Program& p, Look look) {
  auto& q = p.make<Numbers>();
  q.use_up(kBefore);
  q.push(1);
  p.thread([&q] {
    q.begin(0);
    q.push(2);
    check(q.pop() == 1, "it comes first");
  });
  p.thread([&q, look] {
    q.begin(1);
    check(look(q), "something is there");
  });
  p.at_end([&q] { q.end(); });
}
template <int kBefore>
void is_empty_in_a_queue_that_never_is(Program& p) {
  look_into_a_queue_that_is_never_empty<kBefore>(p, [](Numbers& q) { return !q.queue->is_empty(); });
}
template <int kBefore>
void pop_from_a_queue_that_is_never_empty(Program& p) {
  auto& q = p.make<Numbers>();
  q.use_up(kBefore);
  q.push(1);
  p.thread([&q] {
    q.begin(0);
    q.push(2);
    q.popped[0] = q.pop();
  });
  p.thread([&q] {
    q.begin(1);
    q.popped[1] = q.pop();
  });
  p.at_end([&q] {
    check(q.popped[0] + q.popped[1] == 3, "each pop finds one");
    q.end();
  });
}
// One pushes behind 1, which another one pops: the queue is empty to no third one.
inline void refuse_while_another_pushes_behind(Program& p) {
  auto& q = p.make<Numbers>();
  q.push(1);
  p.thread([&q] {
    q.begin(0);
    const auto result = q.queue->push_if(2, [](const int* newest) { return newest != nullptr && *newest == 1; });
    q.popped[0] = result ? 1 : 0;
  });
  p.thread([&q] {
    q.begin(1);
    check(q.pop() == 1, "it is there");
  });
  p.thread([&q] {
    q.begin(2);
    const auto result = q.queue->push_if(3, [](const int* newest) { return newest != nullptr; });
    q.popped[2] = result ? 1 : 0;
  });
  p.at_end([&q] {
    check(q.popped[0] == 0 || q.popped[2] == 1, "who refuses an empty queue found it so");
    q.end();
  });
}
// Refuses to push into an empty queue: then it was empty at one instant.
inline void refuse_an_empty_queue(Program& p) {
  auto& q = p.make<Numbers>();
  q.push(1);
  p.thread([&q] {
    q.begin(0);
    const auto result = q.queue->push_if(3, [](const int* newest) { return newest != nullptr; });
    q.popped[0] = result ? 1 : 0;
  });
  p.thread([&q] {
    q.begin(1);
    q.push(2);
    q.popped[1] = q.pop();
  });
  p.at_end([&q] {
    check(q.popped[1] == 1 && q.popped[0] == 1, "the queue was never empty");
    check(q.pop() == 2 || q.pop() != 0, "what was pushed is there");
    while (q.pop() != 0) {
    }
    q.end();
  });
}

// Each pops nothing but its own number.
inline void pop_if_beside_pop_if(Program& p) {
  auto& q = p.make<Items>();
  q.push(1);
  q.push(2);
  for (const int number : {1, 2}) {
    p.thread([&q, number] {
      q.begin(number);
      const auto result = q.queue->pop_if([number](const Item& oldest) { return oldest.value() == number; });
      check(number == 2 || result, "the oldest is there");
      q.popped[number] = result ? result.entry->value() : 0;
    });
  }
  p.at_end([&q] {
    check(q.popped[1] == 1 && (q.popped[2] == 0 || q.popped[2] == 2), "what was asked about was popped");
    if (q.popped[2] == 0) check(q.pop() == 2, "what was refused is there");
    q.expect_holds({});
    q.expect_destroyed(2);
  });
}
inline void pop_if_beside_pop(Program& p) {
  auto& q = p.make<Items>();
  q.push(1);
  q.push(2);
  p.thread([&q] {
    q.begin(0);
    q.popped[0] = q.pop();
  });
  p.thread([&q] {
    q.begin(1);
    const auto result = q.queue->pop_if([](const Item&) { return true; });
    q.popped[1] = result ? result.entry->value() : 0;
  });
  p.at_end([&q] {
    check(q.popped[0] + q.popped[1] == 3, "each comes out once");
    q.expect_holds({});
    q.expect_destroyed(2);
  });
}

inline void pop_all_beside_push_and_pop(Program& p) {
  auto& q = p.make<Items>();
  q.push(1);
  q.push(2);
  p.thread([&q] {
    q.begin(0);
    q.push(3);
    q.popped[0] = q.pop();
  });
  p.thread([&q] {
    q.begin(1);
    auto all = q.queue->pop_all();
    int before = 0;
    while (const auto one = all.pop()) {
      check(one->value() > before, "in order");
      before = one->value();
      q.popped[1] += before;
    }
  });
  p.at_end([&q] {
    int sum = q.popped[0] + q.popped[1];
    while (const int number = q.pop()) sum += number;
    check(sum == 6, "each comes out once");
    q.end();
  });
}

// The entry's two owners go at the same time, when its segment is still on the queue, or about to be left.
template <class Entry, int kBehind>
void drop_the_handle_beside_pop(Program& p) {
  auto& q = p.make<Queued<Entry>>();
  q.handle = q.push(1);
  for (int n = 0; n < kBehind; ++n) q.push(2 + n);
  p.thread([&q] {
    q.begin(0);
    check(q.number_of(*q.handle) == 1, "the pusher's entry is there");
    q.handle.reset();
    ebr::collect();
  });
  p.thread([&q] {
    q.begin(1);
    for (int n = 0; n <= kBehind; ++n) check(q.pop() == 1 + n, "it is whole");
    ebr::collect();
  });
  p.at_end([&q] {
    q.expect_holds({});
    q.end();
  });
}
// The queue goes, beside the handle of push().
template <class Entry>
void drop_the_handle_beside_the_end_of_the_queue(Program& p) {
  struct Goes : Queued<Entry> {
    Plain<Queue<Entry>*> going = new Queue<Entry>;
  };
  auto& q = p.make<Goes>();
  Queue<Entry>* const going = q.going;
  q.handle = going->emplace(1);
  p.thread([&q] {
    q.begin(0);
    check(q.number_of(*q.handle) == 1, "the pusher's entry is there");
    q.handle.reset();
    ebr::collect();
  });
  p.thread([&q] {
    q.begin(1);
    Queue<Entry>* const gone = q.going;
    delete gone;
    ebr::collect();
  });
  p.at_end([&q] { q.end(); });
}
// Three threads: both owners go, a third ends the grace period.
template <class Entry>
void drop_both_beside_a_collector(Program& p) {
  auto& q = p.make<Queued<Entry>>();
  q.handle = q.push(1);
  q.push(2);
  q.push(3);
  q.pop();
  p.thread([&q] {
    q.begin(0);
    check(q.number_of(*q.handle) == 1, "the pusher's entry is there");
    q.handle.reset();
  });
  p.thread([&q] {
    q.begin(1);
    check(q.pop() == 2 && q.pop() == 3, "they are whole");
    ebr::suspend();
  });
  p.thread([&q] {
    q.begin(2);
    ebr::collect();
  });
  p.at_end([&q] {
    q.expect_holds({});
    q.end();
  });
}

}  // namespace scree::model

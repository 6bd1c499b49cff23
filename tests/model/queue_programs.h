// SPDX-License-Identifier: Apache-2.0
//
// Small programs over Queue, whose segments have two places here, for the explorer. queue_model_test.cc expects them to
// be right, and to fail in one way each when a step is broken.

#pragma once

#include <initializer_list>

#include <scree/queue.h>

#include "ebr_programs.h"
#include "model/explorer.h"
#include "sequence_programs.h"

namespace scree::model {

template <class Entry>
struct Queued : Sequenced<Queue<Entry>, false> {
  // So that what is pushed next lies at the end of a segment, or at its beginning.
  void use_up(int places) {
    for (int n = 0; n < places; ++n) {
      this->push(9);
      this->pop();
    }
  }
};
using Items = Queued<Item>;
using Numbers = Queued<int>;

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

// Pushes behind 1 while another thread takes that out. If that finds the queue empty afterwards, 1 was not there any
// more when its successor came: the condition was not true then.
template <int kBefore>
void push_if_beside_pops(Program& p) {
  auto& q = p.make<Numbers>();
  q.use_up(kBefore);
  q.push(1);
  p.thread([&q] {
    q.begin(0);
    const auto result = q.container->push_if(2, [](const int* newest) { return newest != nullptr && *newest == 1; });
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
  look_into_a_queue_that_is_never_empty<kBefore>(p, [](Numbers& q) { return !q.container->is_empty(); });
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
    const auto result = q.container->push_if(2, [](const int* newest) { return newest != nullptr && *newest == 1; });
    q.popped[0] = result ? 1 : 0;
  });
  p.thread([&q] {
    q.begin(1);
    check(q.pop() == 1, "it is there");
  });
  p.thread([&q] {
    q.begin(2);
    const auto result = q.container->push_if(3, [](const int* newest) { return newest != nullptr; });
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
    const auto result = q.container->push_if(3, [](const int* newest) { return newest != nullptr; });
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
    const auto result = q.container->pop_if([](const Item&) { return true; });
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
    auto all = q.container->pop_all();
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

// The pops leave the first segment.
template <class Entry>
void drop_both_beside_a_collector(Program& p) {
  auto& q = p.make<Queued<Entry>>();
  q.handle = q.push(1);
  q.push(2);
  q.push(3);
  q.pop();
  drop_both_beside_a_collector(p, q, 3,
                               [](Queued<Entry>& of) { check(of.pop() == 2 && of.pop() == 3, "they are whole"); });
}

}  // namespace scree::model

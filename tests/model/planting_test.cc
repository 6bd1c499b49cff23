// SPDX-License-Identifier: Apache-2.0
//
// Planted bugs: a gate and a stack whose every marked operation is needed, which the explorer shows by taking it away.

#include <gtest/gtest.h>

#include <scree/atomic.h>

#include "model/explorer.h"

namespace {

using namespace scree;
using model::Error;
using model::Plant;

// Two threads of which at most one comes in.
class Gate {
 public:
  bool enter(int me) {
    inside_[me].store(1, memory_order_relaxed);                        // [G1]
    thread_fence(memory_order_seq_cst);                                // [G2]
    if (inside_[1 - me].load(memory_order_acquire) == 0) return true;  // [G3]
    leave(me);
    return false;
  }
  void leave(int me) { inside_[me].store(0, memory_order_release); }  // [G4]

 private:
  Atomic<int> inside_[2];
};

model::Result explore_gate(std::vector<Plant> planted) {
  struct State {
    Gate gate;
    Plain<int> n{0};
  };
  return model::explore({.name = "gate", .planted = std::move(planted)}, [](model::Program& p) {
    auto& s = p.make<State>();
    for (int i = 0; i < 2; ++i) {
      p.thread([&s, i] {
        if (!s.gate.enter(i)) return;
        ++s.n;
        s.gate.leave(i);
      });
    }
  });
}

TEST(PlantedBugs, in_a_gate_are_found) {
  EXPECT_TRUE(explore_gate({}).ok());
  const char* const file = "tests/model/planting_test.cc";
  for (const Plant& plant : {Plant::drop(file, "G1"), Plant::drop(file, "G2"), Plant::weaken(file, "G2"),
                             Plant::weaken(file, "G3"), Plant::weaken(file, "G4")}) {
    const model::Result r = explore_gate({plant});
    EXPECT_EQ(r.error, Error::kDataRace) << r.report();
  }
}

class Stack {
 public:
  struct Node {
    Plain<Node*> next = nullptr;
    Plain<int> value = 0;
  };

  void push(int value) {
    Node* node = new Node;
    node->value = value;
    node->next = head_.load(memory_order_relaxed);
    while (!head_.compare_exchange_weak(node->next, node, memory_order_release, memory_order_relaxed)) {  // [S1]
    }
  }
  Node* take_all() {
    if (model::planted("stack: take without exchange")) {
      Node* all = head_.load(memory_order_acquire);
      head_.store(nullptr, memory_order_relaxed);
      return all;
    }
    return head_.exchange(nullptr, memory_order_acquire);  // [S2]
  }

 private:
  Atomic<Node*> head_{nullptr};
};

model::Result explore_stack(std::vector<Plant> planted) {
  struct State {
    Stack stack;
    Atomic<int> sum{0};
  };
  return model::explore({.name = "stack", .planted = std::move(planted)}, [](model::Program& p) {
    auto& s = p.make<State>();
    const auto drain = [&s] {
      for (Stack::Node* node = s.stack.take_all(); node != nullptr;) {
        Stack::Node* const next = node->next;
        s.sum.fetch_add(node->value, memory_order_relaxed);
        delete node;
        node = next;
      }
    };
    p.thread([&s] { s.stack.push(1); });
    p.thread([&s] { s.stack.push(2); });
    p.thread(drain);
    p.at_end([drain, &s] {
      drain();
      model::check(s.sum.load() == 3, "everything was taken once");
    });
  });
}

TEST(PlantedBugs, in_a_stack_are_found) {
  const char* const file = "planting_test.cc";
  EXPECT_TRUE(explore_stack({}).ok());
  EXPECT_EQ(explore_stack({Plant::weaken(file, "S1")}).error, Error::kDataRace);
  EXPECT_EQ(explore_stack({Plant::weaken(file, "S2")}).error, Error::kDataRace);
  EXPECT_EQ(explore_stack({Plant::drop(file, "S1")}).error, Error::kCheck);
  EXPECT_FALSE(explore_stack({Plant::drop(file, "S2")}).ok());
  EXPECT_FALSE(explore_stack({Plant::switch_on("stack: take without exchange")}).ok());
}

TEST(PlantedBugs, that_are_nowhere_make_a_wrong_test) {
  EXPECT_EQ(explore_stack({Plant::weaken("planting_test.cc", "S9")}).error, Error::kBadTest);
  EXPECT_EQ(explore_stack({Plant::weaken("no_such_file.h", "S1")}).error, Error::kBadTest);
  EXPECT_EQ(explore_stack({Plant::weaken("planting_test.cc", "G1")}).error, Error::kBadTest);  // not executed
  EXPECT_EQ(explore_stack({Plant::switch_on("unknown")}).error, Error::kBadTest);
}

TEST(Unobserved, operations_are_no_steps) {
  struct State {
    Atomic<int> seen{0};
    Atomic<int> count{0};
  };
  for (const bool unobserved : {false, true}) {
    model::Options options{.name = "counter"};
    if (unobserved) options.unobserved = {{"planting_test.cc", "count"}};
    const model::Result r = model::explore(options, [](model::Program& p) {
      auto& s = p.make<State>();
      for (int i = 0; i < 2; ++i) {
        p.thread([&s] {
          s.count.fetch_add(1, memory_order_relaxed);  // [count]
          s.seen.fetch_add(1, memory_order_relaxed);
        });
      }
      p.at_end([&s] { model::check(s.count.load() == 2, "both counted"); });
    });
    EXPECT_TRUE(r.ok() && r.complete) << r.report();
    EXPECT_EQ(r.longest, unobserved ? 2u : 4u);
  }
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
//
// The memory model by small programs whose outcomes are known: for each, that what C++20 (or TSO) allows is observed
// and what it forbids is not.

#include <gtest/gtest.h>

#include <set>
#include <string>

#include <scree/atomic.h>
#include <scree_model/platform.h>

#include "model/explorer.h"

namespace {

using namespace scree;

// Everything within no bounds but these.
model::Options unbounded(const char* name, model::Memory memory = model::Memory::kRelaxed) {
  return {.name = name, .preemptions = -1, .memory = memory, .stale_reads = -1, .delayed_stores = -1};
}

// The variables, and what up to four threads read, with the set of all outcomes of a search.
struct Litmus {
  Atomic<int> x{0};
  Atomic<int> y{0};
  Atomic<int> z{0};
  Plain<int> results[4];
};

class Outcomes {
 public:
  // `threads(program, state)` adds the threads; the outcome is the first `count` results.
  template <class F>
  void run(const model::Options& options, int count, F threads) {
    const model::Result result = model::explore(options, [&](model::Program& p) {
      auto& s = p.make<Litmus>();
      for (auto& r : s.results) r = 0;
      threads(p, s);
      auto* seen = &seen_;
      p.at_end([&s, seen, count] {
        std::uint64_t outcome = 0;
        for (int i = 0; i < count; ++i) outcome = outcome * 10 + static_cast<std::uint64_t>(int{s.results[i]});
        seen->insert(outcome);
      });
    });
    EXPECT_TRUE(result.ok()) << result.report();
    EXPECT_TRUE(result.complete);
  }
  bool saw(std::uint64_t outcome) const { return seen_.contains(outcome); }

 private:
  // In an execution, memory comes from its own heap, which ends with it: the set must not allocate there.
  struct Set {
    bool bits[10000] = {};
    void insert(std::uint64_t n) { bits[n] = true; }
    bool contains(std::uint64_t n) const { return bits[n]; }
  };
  Set seen_;
};

Outcomes store_buffering(const model::Options& options, std::memory_order store, std::memory_order load) {
  Outcomes outcomes;
  outcomes.run(options, 2, [=](model::Program& p, Litmus& s) {
    p.thread([&s, store, load] {
      s.x.store(1, store);
      s.results[0] = s.y.load(load);
    });
    p.thread([&s, store, load] {
      s.y.store(1, store);
      s.results[1] = s.x.load(load);
    });
  });
  EXPECT_TRUE(outcomes.saw(11) && outcomes.saw(1) && outcomes.saw(10));
  return outcomes;
}

TEST(StoreBuffering, of_relaxed_accesses_shows_both_loads_the_old_values) {
  EXPECT_TRUE(store_buffering(unbounded("SB, relaxed"), memory_order_relaxed, memory_order_relaxed).saw(0));
}

TEST(StoreBuffering, of_release_and_acquire_shows_both_loads_the_old_values) {
  EXPECT_TRUE(store_buffering(unbounded("SB, release-acquire"), memory_order_release, memory_order_acquire).saw(0));
}

TEST(StoreBuffering, of_seq_cst_accesses_does_not) {
  EXPECT_FALSE(store_buffering(unbounded("SB, seq_cst"), memory_order_seq_cst, memory_order_seq_cst).saw(0));
}

TEST(StoreBuffering, needs_both_sides_seq_cst) {
  EXPECT_TRUE(store_buffering(unbounded("SB, seq_cst stores"), memory_order_seq_cst, memory_order_acquire).saw(0));
  EXPECT_TRUE(store_buffering(unbounded("SB, seq_cst loads"), memory_order_release, memory_order_seq_cst).saw(0));
}

TEST(StoreBuffering, is_there_on_tso_and_not_in_interleavings) {
  const auto relaxed = memory_order_relaxed;
  EXPECT_TRUE(store_buffering(unbounded("SB, TSO", model::Memory::kTso), relaxed, relaxed).saw(0));
  EXPECT_FALSE(store_buffering(unbounded("SB, interleaving", model::Memory::kInterleaving), relaxed, relaxed).saw(0));
  EXPECT_FALSE(
      store_buffering(unbounded("SB, TSO, seq_cst", model::Memory::kTso), memory_order_seq_cst, memory_order_seq_cst)
          .saw(0));
}

// What stands between the store and the load of each side.
enum class Between { kNothing, kAcqRelFence, kFence, kCompilerFence, kMembarrier };

void pass(Between between) {
  switch (between) {
    case Between::kNothing:
      break;
    case Between::kAcqRelFence:
      thread_fence(memory_order_acq_rel);
      break;
    case Between::kFence:
      thread_fence(memory_order_seq_cst);
      break;
    case Between::kCompilerFence:
      compiler_fence();
      break;
    case Between::kMembarrier:
      model::membarrier_call();
      break;
  }
}

bool both_old(const model::Options& options, Between first, Between second) {
  Outcomes outcomes;
  outcomes.run(options, 2, [=](model::Program& p, Litmus& s) {
    p.thread([&s, first] {
      s.x.store(1, memory_order_relaxed);
      pass(first);
      s.results[0] = s.y.load(memory_order_relaxed);
    });
    p.thread([&s, second] {
      s.y.store(1, memory_order_relaxed);
      pass(second);
      s.results[1] = s.x.load(memory_order_relaxed);
    });
  });
  EXPECT_TRUE(outcomes.saw(11) && outcomes.saw(1) && outcomes.saw(10));
  return outcomes.saw(0);
}

TEST(Fences, of_seq_cst_on_both_sides_forbid_store_buffering) {
  for (const auto memory : {model::Memory::kRelaxed, model::Memory::kTso}) {
    EXPECT_FALSE(both_old(unbounded("SB, fences", memory), Between::kFence, Between::kFence));
    EXPECT_TRUE(both_old(unbounded("SB, one fence", memory), Between::kFence, Between::kNothing));
    EXPECT_TRUE(both_old(unbounded("SB, acq_rel fences", memory), Between::kAcqRelFence, Between::kAcqRelFence));
  }
}

TEST(Fences, are_as_good_as_a_membarrier_and_a_compiler_fence) {
  for (const auto memory : {model::Memory::kRelaxed, model::Memory::kTso}) {
    EXPECT_FALSE(both_old(unbounded("SB, membarrier", memory), Between::kCompilerFence, Between::kMembarrier));
    EXPECT_TRUE(
        both_old(unbounded("SB, membarrier, no compiler fence", memory), Between::kNothing, Between::kMembarrier));
    EXPECT_TRUE(both_old(unbounded("SB, compiler fences", memory), Between::kCompilerFence, Between::kCompilerFence));
  }
}

TEST(Fences, of_a_membarrier_come_to_threads_one_after_another_where_asked_for) {
  for (const bool at_once : {true, false}) {
    model::Options options = unbounded("membarrier and a chain");
    options.delayed_stores = 0;
    options.membarrier_at_once = at_once;
    Outcomes outcomes;
    outcomes.run(options, 3, [](model::Program& p, Litmus& s) {
      p.thread([&s] {
        s.x.store(1, memory_order_relaxed);
        model::membarrier_call();
        s.results[0] = s.y.load(memory_order_relaxed);
      });
      p.thread([&s] {
        s.y.store(1, memory_order_relaxed);
        s.z.store(1, memory_order_relaxed);
      });
      p.thread([&s] {
        s.results[1] = s.z.load(memory_order_relaxed);
        s.results[2] = s.x.load(memory_order_relaxed);
      });
    });
    EXPECT_TRUE(outcomes.saw(111) && outcomes.saw(11) && outcomes.saw(110));
    // The stores come after the fence of their thread, and yet before that of the reader.
    EXPECT_EQ(outcomes.saw(10), !at_once);
  }
}

bool message_lost(const model::Options& options, std::memory_order store, std::memory_order load) {
  Outcomes outcomes;
  outcomes.run(options, 2, [=](model::Program& p, Litmus& s) {
    p.thread([&s, store] {
      s.x.store(1, memory_order_relaxed);
      s.y.store(1, store);
    });
    p.thread([&s, load] {
      s.results[0] = s.y.load(load);
      s.results[1] = s.x.load(memory_order_relaxed);
    });
  });
  EXPECT_TRUE(outcomes.saw(11) && outcomes.saw(1) && outcomes.saw(0));
  return outcomes.saw(10);
}

TEST(MessagePassing, needs_release_and_acquire) {
  EXPECT_FALSE(message_lost(unbounded("MP"), memory_order_release, memory_order_acquire));
  EXPECT_FALSE(message_lost(unbounded("MP, seq_cst"), memory_order_seq_cst, memory_order_seq_cst));
  EXPECT_TRUE(message_lost(unbounded("MP, relaxed store"), memory_order_relaxed, memory_order_acquire));
  EXPECT_TRUE(message_lost(unbounded("MP, relaxed load"), memory_order_release, memory_order_relaxed));
}

TEST(MessagePassing, works_on_tso_without_any_orders) {
  EXPECT_FALSE(message_lost(unbounded("MP, TSO", model::Memory::kTso), memory_order_relaxed, memory_order_relaxed));
}

TEST(MessagePassing, works_by_fences) {
  for (const bool release : {true, false}) {
    for (const bool acquire : {true, false}) {
      Outcomes outcomes;
      outcomes.run(unbounded("MP, fences"), 2, [=](model::Program& p, Litmus& s) {
        p.thread([&s, release] {
          s.x.store(1, memory_order_relaxed);
          if (release) thread_fence(memory_order_release);
          s.y.store(1, memory_order_relaxed);
        });
        p.thread([&s, acquire] {
          s.results[0] = s.y.load(memory_order_relaxed);
          if (acquire) thread_fence(memory_order_acquire);
          s.results[1] = s.x.load(memory_order_relaxed);
        });
      });
      EXPECT_EQ(outcomes.saw(10), !(release && acquire));
    }
  }
}

TEST(MessagePassing, goes_through_read_modify_writes_of_others_and_not_through_plain_stores) {
  for (const bool rmw : {true, false}) {
    Outcomes outcomes;
    outcomes.run(unbounded(rmw ? "MP, release sequence" : "MP, broken release sequence"), 2,
                 [=](model::Program& p, Litmus& s) {
                   p.thread([&s] {
                     s.x.store(1, memory_order_relaxed);
                     s.y.store(1, memory_order_release);
                   });
                   p.thread([&s, rmw] {
                     if (rmw) {
                       s.y.fetch_add(1, memory_order_relaxed);
                     } else if (s.y.load(memory_order_relaxed) == 1) {
                       s.y.store(2, memory_order_relaxed);
                     }
                   });
                   p.thread([&s] {
                     s.results[0] = s.y.load(memory_order_acquire);
                     s.results[1] = s.x.load(memory_order_relaxed);
                   });
                 });
    EXPECT_TRUE(outcomes.saw(21));
    EXPECT_EQ(outcomes.saw(20), !rmw);
  }
}

TEST(MessagePassing, is_broken_by_a_relaxed_store_of_the_same_thread) {
  Outcomes outcomes;
  outcomes.run(unbounded("MP, later relaxed store"), 2, [](model::Program& p, Litmus& s) {
    p.thread([&s] {
      s.x.store(1, memory_order_relaxed);
      s.y.store(1, memory_order_release);
      s.y.store(2, memory_order_relaxed);
    });
    p.thread([&s] {
      s.results[0] = s.y.load(memory_order_acquire);
      s.results[1] = s.x.load(memory_order_relaxed);
    });
  });
  EXPECT_TRUE(outcomes.saw(20));
  EXPECT_FALSE(outcomes.saw(10));
}

TEST(Coherence, holds_for_relaxed_accesses) {
  Outcomes outcomes;
  outcomes.run(unbounded("CoRR"), 2, [](model::Program& p, Litmus& s) {
    p.thread([&s] {
      s.x.store(1, memory_order_relaxed);
      s.x.store(2, memory_order_relaxed);
    });
    p.thread([&s] {
      s.results[0] = s.x.load(memory_order_relaxed);
      s.results[1] = s.x.load(memory_order_relaxed);
    });
  });
  for (const std::uint64_t seen : {0, 1, 2, 11, 12, 22}) EXPECT_TRUE(outcomes.saw(seen)) << seen;
  for (const std::uint64_t unseen : {10, 20, 21}) EXPECT_FALSE(outcomes.saw(unseen)) << unseen;
}

TEST(Coherence, passes_on_with_what_is_acquired) {
  Outcomes outcomes;
  outcomes.run(unbounded("CoRR through a third thread"), 3, [](model::Program& p, Litmus& s) {
    p.thread([&s] { s.x.store(1, memory_order_relaxed); });
    p.thread([&s] {
      s.results[0] = s.x.load(memory_order_relaxed);
      s.y.store(1, memory_order_release);
    });
    p.thread([&s] {
      s.results[1] = s.y.load(memory_order_acquire);
      s.results[2] = s.x.load(memory_order_relaxed);
    });
  });
  EXPECT_TRUE(outcomes.saw(111) && outcomes.saw(10) && outcomes.saw(11));
  EXPECT_FALSE(outcomes.saw(110));
}

bool readers_disagree(const model::Options& options, std::memory_order store, std::memory_order load) {
  Outcomes outcomes;
  outcomes.run(options, 4, [=](model::Program& p, Litmus& s) {
    p.thread([&s, store] { s.x.store(1, store); });
    p.thread([&s, store] { s.y.store(1, store); });
    p.thread([&s, load] {
      s.results[0] = s.x.load(load);
      s.results[1] = s.y.load(load);
    });
    p.thread([&s, load] {
      s.results[2] = s.y.load(load);
      s.results[3] = s.x.load(load);
    });
  });
  EXPECT_TRUE(outcomes.saw(1111) && outcomes.saw(1011) && outcomes.saw(1110));
  return outcomes.saw(1010);
}

TEST(IndependentReads, of_independent_writes_may_disagree_unless_all_are_seq_cst) {
  EXPECT_TRUE(readers_disagree(unbounded("IRIW, acquire"), memory_order_release, memory_order_acquire));
  EXPECT_FALSE(readers_disagree(unbounded("IRIW, seq_cst"), memory_order_seq_cst, memory_order_seq_cst));
  EXPECT_FALSE(
      readers_disagree(unbounded("IRIW, TSO", model::Memory::kTso), memory_order_relaxed, memory_order_relaxed));
}

TEST(ReadModifyWrite, is_atomic_whatever_its_order) {
  const model::Result result = model::explore(unbounded("increments"), [](model::Program& p) {
    auto& s = p.make<Litmus>();
    for (int i = 0; i < 3; ++i) p.thread([&s] { s.x.fetch_add(1, memory_order_relaxed); });
    p.at_end([&s] { model::check(s.x.load() == 3, "three increments make three"); });
  });
  EXPECT_TRUE(result.ok() && result.complete) << result.report();
}

TEST(ReadModifyWrite, made_of_a_load_and_a_store_is_not) {
  const model::Result result = model::explore(unbounded("increments by halves"), [](model::Program& p) {
    auto& s = p.make<Litmus>();
    for (int i = 0; i < 2; ++i) p.thread([&s] { s.x.store(s.x.load() + 1); });
    p.at_end([&s] { model::check(s.x.load() == 2, "two increments make two"); });
  });
  EXPECT_EQ(result.error, model::Error::kCheck) << result.report();
}

TEST(CompareExchange, that_is_weak_fails_without_a_reason_as_often_as_options_allow) {
  for (const int allowed : {0, 1}) {
    model::Options options = unbounded("weak CAS");
    options.spurious_failures = allowed;
    Outcomes outcomes;
    outcomes.run(options, 2, [](model::Program& p, Litmus& s) {
      p.thread([&s] {
        int expected = 0;
        s.results[0] = s.x.compare_exchange_weak(expected, 1, memory_order_relaxed) ? 1 : 0;
        expected = 0;
        s.results[1] = s.y.compare_exchange_strong(expected, 1, memory_order_relaxed) ? 1 : 0;
      });
    });
    EXPECT_TRUE(outcomes.saw(11));
    EXPECT_EQ(outcomes.saw(1), allowed == 1);
    EXPECT_FALSE(outcomes.saw(10)) << "a strong one has a reason";
  }
}

TEST(CompareExchange, that_fails_may_have_read_an_old_value) {
  Outcomes outcomes;
  outcomes.run(unbounded("failed CAS"), 2, [](model::Program& p, Litmus& s) {
    p.thread([&s] {
      s.x.store(1, memory_order_relaxed);
      s.y.store(1, memory_order_relaxed);
    });
    p.thread([&s] {
      s.results[0] = s.y.load(memory_order_relaxed);
      int expected = 5;
      s.x.compare_exchange_strong(expected, 7, memory_order_relaxed, memory_order_relaxed);
      s.results[1] = expected;
    });
  });
  EXPECT_TRUE(outcomes.saw(10) && outcomes.saw(11));
}

}  // namespace

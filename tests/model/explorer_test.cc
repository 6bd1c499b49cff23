// SPDX-License-Identifier: Apache-2.0
//
// What the explorer finds, and what it does not report: one small program for each kind of error, right and wrong.

#include "model/explorer.h"

#include <gtest/gtest.h>

#include <cassert>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include <scree/atomic.h>
#include <scree/sync_point.h>
#include <scree_model/platform.h>

namespace {

using namespace scree;
using model::Error;

model::Options named(const char* name) { return {.name = name}; }
model::Options interleavings(const char* name, int preemptions) {
  return {.name = name, .preemptions = preemptions, .memory = model::Memory::kInterleaving, .reduce = false};
}

struct Pair {
  Atomic<int> x{0};
  Atomic<int> y{0};
  Plain<int> data{0};
};

TEST(Search, runs_each_interleaving_once) {
  const auto count = [](int preemptions) {
    const model::Result r = model::explore(interleavings("2 threads of 3 steps", preemptions), [](model::Program& p) {
      auto& s = p.make<Pair>();
      for (int i = 0; i < 2; ++i) {
        p.thread([&s] {
          for (int n = 0; n < 3; ++n) s.x.fetch_add(1);
        });
      }
    });
    EXPECT_TRUE(r.ok() && r.complete) << r.report();
    return r.executions;
  };
  EXPECT_EQ(count(-1), 20u);  // 6 over 3
  EXPECT_EQ(count(0), 2u);
  // The first thread is stopped after one or two steps, or not, and then the second runs to its end; from either side.
  EXPECT_EQ(count(1), 2u + 2u * 2u);
}

TEST(Search, runs_three_threads_in_all_orders) {
  const model::Result r = model::explore(interleavings("3 threads of 2 steps", -1), [](model::Program& p) {
    auto& s = p.make<Pair>();
    for (int i = 0; i < 3; ++i) {
      p.thread([&s] {
        s.x.fetch_add(1);
        s.y.fetch_add(1);
      });
    }
  });
  EXPECT_EQ(r.executions, 90u) << r.report();  // 6! / (2! 2! 2!)
}

TEST(Search, runs_one_of_the_orders_of_steps_that_commute) {
  auto options = interleavings("independent threads", -1);
  options.reduce = true;
  const model::Result r = model::explore(options, [](model::Program& p) {
    auto& s = p.make<Pair>();
    p.thread([&s] {
      s.x.fetch_add(1, memory_order_relaxed);
      s.x.fetch_add(1, memory_order_relaxed);
    });
    p.thread([&s] {
      s.y.fetch_add(1, memory_order_relaxed);
      s.y.fetch_add(1, memory_order_relaxed);
    });
  });
  EXPECT_EQ(r.executions, 1u) << r.report();
}

void lost_update(model::Program& p) {
  auto& s = p.make<Pair>();
  for (int i = 0; i < 2; ++i) p.thread([&s] { s.x.store(s.x.load() + 1); });
  p.at_end([&s] { model::check(s.x.load() == 2, "no increment is lost"); });
}

TEST(Search, finds_with_one_preemption_what_none_does_not_show) {
  EXPECT_TRUE(model::explore(interleavings("lost update", 0), lost_update).ok());
  EXPECT_EQ(model::explore(interleavings("lost update", 1), lost_update).error, Error::kCheck);
}

TEST(Search, shows_the_same_failure_again_from_its_schedule) {
  for (const bool random : {false, true}) {
    model::Options options = named("lost update");
    if (random) {
      options.max_executions = 0;
      options.random_executions = 1000;
    }
    const model::Result first = model::explore(options, lost_update);
    ASSERT_EQ(first.error, Error::kCheck);
    EXPECT_NE(first.trace.find("load"), std::string::npos) << first.report();
    EXPECT_NE(first.trace.find("explorer_test.cc:"), std::string::npos) << first.report();
    options.replay = first.schedule;
    const model::Result again = model::explore(options, lost_update);
    EXPECT_EQ(again.executions, 1u);
    EXPECT_EQ(again.error, first.error);
    EXPECT_EQ(again.trace, first.trace);
  }
}

TEST(Search, says_that_it_was_not_exhaustive) {
  model::Options options = interleavings("cut short", -1);
  options.max_executions = 3;
  options.random_executions = 5;
  const model::Result r = model::explore(options, [](model::Program& p) {
    auto& s = p.make<Pair>();
    for (int i = 0; i < 2; ++i) {
      p.thread([&s] {
        for (int n = 0; n < 3; ++n) s.x.fetch_add(1);
      });
    }
  });
  EXPECT_FALSE(r.complete);
  EXPECT_EQ(r.executions, 8u);
  EXPECT_EQ(r.random, 5u);
  EXPECT_NE(r.summary().find("not exhaustive"), std::string::npos);
}

// A message in a plain variable, announced by an atomic one.
Error message(std::memory_order store, std::memory_order load) {
  return model::explore(named("plain message"),
                        [=](model::Program& p) {
                          auto& s = p.make<Pair>();
                          p.thread([&s, store] {
                            s.data = 7;
                            s.x.store(1, store);
                          });
                          p.thread([&s, load] {
                            if (s.x.load(load) == 1) model::check(s.data == 7, "the message is there");
                          });
                        })
      .error;
}

TEST(DataRace, is_found_where_orders_do_not_order) {
  EXPECT_EQ(message(memory_order_release, memory_order_acquire), Error::kNone);
  EXPECT_EQ(message(memory_order_relaxed, memory_order_acquire), Error::kDataRace);
  EXPECT_EQ(message(memory_order_release, memory_order_relaxed), Error::kDataRace);
}

TEST(DataRace, is_found_without_any_step_in_between) {
  for (const bool writes : {false, true}) {
    const model::Result r = model::explore(named("two accesses"), [=](model::Program& p) {
      auto& s = p.make<Pair>();
      p.thread([&s] { static_cast<void>(int{s.data}); });
      p.thread([&s, writes] {
        if (writes) {
          s.data = 1;
        } else {
          static_cast<void>(int{s.data});
        }
      });
    });
    EXPECT_EQ(r.error, writes ? Error::kDataRace : Error::kNone) << r.report();
  }
}

TEST(DataRace, is_found_where_a_new_object_is_published_relaxed) {
  for (const auto order : {memory_order_release, memory_order_relaxed}) {
    const model::Result r = model::explore(named("publication"), [=](model::Program& p) {
      auto& head = p.make<Atomic<Pair*>>(nullptr);
      p.thread([&head, order] { head.store(new Pair, order); });
      p.thread([&head] {
        if (Pair* pair = head.load(memory_order_acquire)) static_cast<void>(pair->x.load(memory_order_relaxed));
      });
      p.at_end([&head] { delete head.load(); });
    });
    EXPECT_EQ(r.error, order == memory_order_release ? Error::kNone : Error::kDataRace) << r.report();
  }
}

TEST(PlainField, stands_for_its_value) {
  struct Node {
    Plain<Node*> next = nullptr;
    Plain<int> value{1};
  };
  const model::Result r = model::explore(named("plain fields"), [](model::Program& p) {
    p.thread([] {
      Node a;
      Node b;
      a.next = &b;
      a.next->value = 5;
      a.next->next = &a;
      model::check(a.next != nullptr && b.next == &a && (*a.next).value == 5, "links");
      a.value += 3;
      ++a.value;
      a.value--;
      model::check(a.value == 4 && a.value + 1 == 5, "arithmetic");
      Node* const old = std::exchange(b.next, nullptr);
      model::check(old == &a && !b.next, "exchange");
      std::swap(a.next, b.next);
      model::check(a.next == nullptr && b.next == &b, "swap");
      (a.next == nullptr ? a.next : b.next->next) = &a;
      model::check(a.next == &a, "choice");
      Atomic<Node*> head{&b};
      model::check(!head.compare_exchange_strong(a.next, nullptr, memory_order_relaxed, memory_order_relaxed), "CAS");
      model::check(a.next == &b, "what it found");
    });
  });
  EXPECT_TRUE(r.ok()) << r.report();
}

// One thread frees what another may use.
Error freed(bool reader_first, std::memory_order order) {
  return model::explore(named("free"),
                        [=](model::Program& p) {
                          auto& done = p.make<Atomic<int>>(0);
                          Pair* pair = new Pair;
                          p.thread([=, &done] {
                            static_cast<void>(pair->x.load(memory_order_relaxed));
                            done.store(1, order);
                          });
                          p.thread([=, &done] {
                            const bool may = done.load(memory_order_acquire) == 1 || !reader_first;
                            if (may) delete pair;
                            done.store(may ? 2 : 3, memory_order_relaxed);
                          });
                          p.at_end([=, &done] {
                            if (done.load() != 2 && reader_first) delete pair;
                          });
                        })
      .error;
}

TEST(Lifetime, use_after_free_is_found) {
  const model::Result r = model::explore(named("use after free"), [](model::Program& p) {
    Pair* pair = new Pair;
    auto& freed = p.make<Atomic<int>>(0);
    p.thread([=, &freed] {
      freed.store(1);
      delete pair;
      freed.store(2);
    });
    p.thread([=, &freed] {
      if (freed.load() == 2) pair->x.load();
    });
  });
  EXPECT_EQ(r.error, Error::kUseAfterFree) << r.report();
}

TEST(Lifetime, a_free_that_does_not_happen_after_every_use_is_found) {
  EXPECT_EQ(freed(false, memory_order_release), Error::kUnorderedFree);
  EXPECT_EQ(freed(true, memory_order_relaxed), Error::kUnorderedFree);
}

TEST(Lifetime, double_free_and_leak_are_found) {
  const auto run = [](int frees) {
    return model::explore(named("frees"),
                          [=](model::Program& p) {
                            p.thread([=] {
                              int* block = new int(1);
                              for (int i = 0; i < frees; ++i) operator delete(block);
                            });
                          })
        .error;
  };
  EXPECT_EQ(run(0), Error::kLeak);
  EXPECT_EQ(run(1), Error::kNone);
  EXPECT_EQ(run(2), Error::kDoubleFree);
}

TEST(Lifetime, destruction_without_freeing_ends_it) {
  const model::Result r = model::explore(named("destroyed"), [](model::Program& p) {
    p.thread([] {
      alignas(Pair) std::byte memory[sizeof(Pair)];
      Pair* pair = new (memory) Pair;
      pair->~Pair();
      pair->x.load();
    });
  });
  EXPECT_EQ(r.error, Error::kUseAfterFree) << r.report();
}

Error wait_and_notify(bool notify, std::memory_order order) {
  return model::explore(named("wait"),
                        [=](model::Program& p) {
                          auto& s = p.make<Pair>();
                          p.thread([&s] {
                            s.x.wait(0, memory_order_acquire);
                            model::check(s.data == 1, "the waiter sees what was written before");
                          });
                          p.thread([&s, notify, order] {
                            s.data = 1;
                            s.x.store(1, order);
                            if (notify) s.x.notify_one();
                          });
                        })
      .error;
}

TEST(Waiting, ends_with_a_notification) {
  EXPECT_EQ(wait_and_notify(true, memory_order_release), Error::kNone);
  EXPECT_EQ(wait_and_notify(true, memory_order_relaxed), Error::kDataRace);
}

TEST(Waiting, without_a_notification_is_a_lost_wake_up) {
  EXPECT_EQ(wait_and_notify(false, memory_order_release), Error::kLostWakeup);
}

TEST(Waiting, for_what_nobody_changes_is_a_deadlock) {
  const model::Result r = model::explore(named("deadlock"), [](model::Program& p) {
    auto& s = p.make<Pair>();
    p.thread([&s] { s.x.wait(0); });
  });
  EXPECT_EQ(r.error, Error::kDeadlock) << r.report();
}

TEST(Loops, that_wait_for_another_thread_end) {
  const model::Result r = model::explore(named("spinning"), [](model::Program& p) {
    auto& s = p.make<Pair>();
    p.thread([&s] {
      while (s.x.load(memory_order_acquire) == 0) {
      }
      model::check(s.data == 1, "message");
    });
    p.thread([&s] {
      s.data = 1;
      s.x.store(1, memory_order_release);
    });
  });
  EXPECT_TRUE(r.ok() && r.complete) << r.report();
}

TEST(Loops, that_wait_for_nothing_are_a_livelock) {
  const model::Result r = model::explore(named("livelock"), [](model::Program& p) {
    auto& s = p.make<Pair>();
    for (int i = 0; i < 2; ++i) {
      p.thread([&s] {
        while (s.x.load() == 0) s.y.fetch_add(1);
      });
    }
  });
  EXPECT_EQ(r.error, Error::kLivelock);
}

TEST(Mutexes, exclude_and_deadlock) {
  struct Locks {
    std::mutex a;
    std::mutex b;
    Plain<int> n{0};
  };
  for (const bool crossed : {false, true}) {
    const model::Result r = model::explore(named("mutexes"), [=](model::Program& p) {
      auto& s = p.make<Locks>();
      for (int i = 0; i < 2; ++i) {
        const bool swapped = crossed && i == 1;
        p.thread([&s, swapped] {
          const std::lock_guard first(swapped ? s.b : s.a);
          const std::lock_guard second(swapped ? s.a : s.b);
          ++s.n;
        });
      }
      p.at_end([&s] { model::check(s.n == 2, "both counted"); });
    });
    EXPECT_EQ(r.error, crossed ? Error::kDeadlock : Error::kNone) << r.report();
  }
}

TEST(Allocations, fail_one_at_a_time) {
  model::Options options = named("failing allocations");
  options.allocation_failures = 1;
  const model::Result r = model::explore(options, [](model::Program& p) {
    p.thread([] {
      try {
        const auto first = std::make_unique<int>(1);
        const auto second = std::make_unique<int>(2);
      } catch (const std::bad_alloc&) {
      }
    });
  });
  EXPECT_TRUE(r.ok() && r.complete) << r.report();
  EXPECT_EQ(r.executions, 3u);

  const model::Result leak = model::explore(options, [](model::Program& p) {
    p.thread([] {
      int* first = new int(1);
      delete new (std::nothrow) int(2);
      delete std::make_unique<int>(3).release();
      delete first;
    });
  });
  EXPECT_EQ(leak.error, Error::kException) << leak.report();
}

TEST(Failures, by_assertions_exceptions_and_crashes_are_reported) {
  const auto run = [](void (*body)()) {
    return model::explore(named("failure"), [=](model::Program& p) { p.thread([body] { body(); }); });
  };
  EXPECT_EQ(run([] { throw std::runtime_error("thrown"); }).error, Error::kException);
  EXPECT_EQ(run([] { std::abort(); }).error, Error::kCrash);
  const model::Result crash = run([] {
    SCREE_SYNC_POINT("before the crash");
    static volatile int* null = nullptr;
    *null = 1;
  });
  EXPECT_EQ(crash.error, Error::kCrash);
  EXPECT_NE(crash.trace.find("before the crash"), std::string::npos) << crash.report();
#ifndef NDEBUG
  EXPECT_EQ(run([] { assert(false); }).error, Error::kCheck);
#endif
}

struct Counted {
  Counted() { ++alive; }
  ~Counted() { --alive; }
  Atomic<int> value{0};
  static inline int alive = 0;
};

Atomic<int> of_the_process{5};

TEST(PerExecution, objects_are_made_anew_and_destroyed) {
  const model::Result r = model::explore(named("per execution"), [](model::Program& p) {
    for (int i = 0; i < 2; ++i) {
      p.thread([] {
        auto& mine = model::per_thread<int>();
        model::check(mine == 0, "a thread's variable begins with zero");
        mine = 1;
        model::at_thread_exit(
            [](void* counted) { static_cast<Counted*>(counted)->value.fetch_add(10, memory_order_relaxed); },
            &model::per_execution<Counted>());
        model::per_execution<Counted>().value.fetch_add(1, memory_order_relaxed);
        of_the_process.fetch_add(1);
      });
    }
    p.at_end([] {
      model::check(Counted::alive == 1, "one");
      model::check(model::per_execution<Counted>().value.load() == 22, "both threads, and both exits");
      model::check(of_the_process.load() == 7, "variables of the process begin each execution alike");
    });
  });
  EXPECT_TRUE(r.ok() && r.complete) << r.report();
  EXPECT_EQ(Counted::alive, 0);
  EXPECT_EQ(of_the_process.load(), 5);
}

TEST(Membarrier, may_be_refused) {
  for (const auto kind :
       {model::Membarrier::kWorks, model::Membarrier::kRefusedAtStart, model::Membarrier::kMayFailLater}) {
    bool registered = false;
    int calls[2] = {};
    model::Options options = named("membarrier");
    options.membarrier = kind;
    auto* seen_registered = &registered;
    auto* seen_calls = calls;
    const model::Result r = model::explore(options, [=](model::Program& p) {
      p.thread([=] {
        *seen_registered = model::membarrier_register();
        ++seen_calls[model::membarrier_call() ? 1 : 0];
      });
    });
    EXPECT_TRUE(r.ok() && r.complete) << r.report();
    EXPECT_EQ(registered, kind != model::Membarrier::kRefusedAtStart);
    EXPECT_EQ(calls[1] != 0, kind != model::Membarrier::kRefusedAtStart);
    EXPECT_EQ(calls[0] != 0, kind != model::Membarrier::kWorks);
  }
}

}  // namespace

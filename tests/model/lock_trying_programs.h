// SPDX-License-Identifier: Apache-2.0
//
// Programs for the explorer in which a Lock is released or killed inside barriers, so that the coroutines that wait try
// again at their end; and in which as many hold it shared as may.

#pragma once

#include <scree/lock.h>

#include "lock_leaving_programs.h"
#include "lock_programs.h"
#include "model/explorer.h"
#include "support/coroutine.h"

namespace scree::model {

// What a thread waits for before it goes on. Relaxed: it orders nothing that the lock is to order.
class Signal {
 public:
  void set() { is_set_.store(true, memory_order_relaxed); }
  void await() const {
    while (!is_set_.load(memory_order_relaxed)) yield();
  }

 private:
  Atomic<bool> is_set_{false};
};

// At the end of the barrier those who wait try again, and find the lock held: they wait again.
inline void let_them_lose(Lock& lock) {
  const ebr::Barrier barrier;
  lock.unlock();
  check(lock.lock(), "the lock is not killed");
}
inline void unlock_inside_a_barrier(Lock& lock) {
  const ebr::Barrier barrier;
  lock.unlock();
}

inline void destroy_beside_one_who_lets_it_lose(Program& p) {
  auto& all = p.make<AllClaimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin(0, increment_async);
  p.thread([&all] {
    let_them_lose(all.lock);
    all.value += 1;
    all.lock.unlock();
  });
  p.thread([&all] { all.destroy(0); });
  p.at_end([&all] { expect_free(all.lock); });
}
inline void destroy_what_may_lose_to_a_third(Program& p) {
  auto& all = p.make<AllClaimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin(0, increment_async);
  p.thread([&all] { unlock_inside_a_barrier(all.lock); });
  p.thread([&all] { increment(all); });
  p.thread([&all] { all.destroy(0); });
  p.at_end([&all] { expect_free(all.lock); });
}
// Two threads let one coroutine try again, the second after it has lost at the end of the first one's barrier.
inline void destroy_beside_two_who_let_it_try_in_turn(Program& p) {
  struct All : AllClaimed {
    Signal passed;
  };
  auto& all = p.make<All>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin(0, increment_async);
  p.thread([&all] {
    let_them_lose(all.lock);
    all.passed.set();
  });
  p.thread([&all] {
    all.passed.await();
    unlock_inside_a_barrier(all.lock);
  });
  p.thread([&all] { all.destroy(0); });
  p.at_end([&all] { expect_free(all.lock); });
}
inline void destroy_beside_two_who_let_it_try(Program& p) {
  auto& all = p.make<AllClaimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin(0, increment_async);
  p.thread([&all] { unlock_inside_a_barrier(all.lock); });
  p.thread([&all] {
    const ebr::Barrier barrier;
    increment(all);
  });
  p.thread([&all] { all.destroy(0); });
  p.at_end([&all] { expect_free(all.lock); });
}
// The thread on whose ready list it was last has gone, with the list.
inline void destroy_after_who_let_it_lose_has_gone(Program& p) {
  struct All : AllClaimed {
    Signal gone;
  };
  auto& all = p.make<All>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin(0, increment_async);
  p.thread([&all] {
    at_thread_exit([](void* signal) { static_cast<Signal*>(signal)->set(); }, &all.gone);  // runs last
    let_them_lose(all.lock);
  });
  p.thread([&all] {
    all.gone.await();
    all.lock.unlock();
  });
  p.thread([&all] {
    all.gone.await();
    all.destroy(0);
  });
  p.at_end([&all] { expect_free(all.lock); });
}
// One of them may find the queue locked by the other, or by who lets them lose.
inline void two_leave_beside_one_who_lets_them_lose(Program& p) {
  auto& all = p.make<AllClaimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  for (int n = 0; n < 2; ++n) all.begin(n, increment_async);
  for (int n = 0; n < 2; ++n) p.thread([&all, n] { all.destroy(n); });
  p.thread([&all] {
    let_them_lose(all.lock);
    all.value += 1;
    all.lock.unlock();
  });
  p.at_end([&all] { expect_free(all.lock); });
}

inline Coroutine hold_or_find_killed_async(Killed& all) {
  const bool held = co_await all.lock.lock_async();
  if (held) {
    all.value += 1;
    all.lock.unlock();
  } else {
    see_the_replacement(all, held);
  }
}
inline void kill_and_replace(Killed& all) {
  all.replacement = 1;
  all.lock.kill();
}
struct KilledClaimed : Killed {
  template <class Begin>
  void begin(Begin begin_coroutine) {
    const ResumeScope scope(claims);
    coroutines[0] = begin_coroutine(*this);
  }
  void destroy() {
    if (claims.claim()) coroutines[0].destroy();
  }

  Claims claims;
};
// At the end of the barrier it finds the lock killed, or takes it before.
inline void destroy_what_may_find_it_killed(Program& p) {
  auto& all = p.make<KilledClaimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin(hold_or_find_killed_async);
  p.thread([&all] { unlock_inside_a_barrier(all.lock); });
  p.thread([&all] {
    check(all.lock.lock(), "it is not killed");
    kill_and_replace(all);
  });
  p.thread([&all] { all.destroy(); });
  p.at_end([&all] { check(!all.lock.try_lock() && all.lock.is_killed(), "it stays killed"); });
}
inline void find_it_killed_at_the_end_of_a_barrier(Program& p) {
  auto& all = p.make<Killed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.coroutines[0] = hold_or_find_killed_async(all);
  p.thread([&all] { unlock_inside_a_barrier(all.lock); });
  p.thread([&all] {
    check(all.lock.lock(), "it is not killed");
    kill_and_replace(all);
  });
  p.at_end([&all] { check(all.coroutines[0].is_done(), "it has had the lock, or is told"); });
}
inline void kill_inside_a_barrier(Program& p) {
  auto& all = p.make<KilledClaimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin(find_killed_async);
  all.coroutines[1] = find_killed_shared_async(all);
  p.thread([&all] {
    const ebr::Barrier barrier;
    kill_and_replace(all);
    check(!all.coroutines[1].is_done(), "it waits for the end of the barrier");
  });
  p.thread([&all] { all.destroy(); });
  p.thread([&all] { see_the_replacement(all, all.lock.lock_shared()); });
  p.at_end([&all] { check(all.coroutines[1].is_done(), "everybody is told"); });
}

// Whoever releases it waits for it inside the same barrier: what it let on there, and resumes later, holds nothing.
inline void release_and_write_inside_a_barrier(Guarded& guarded) {
  const ebr::Barrier barrier;
  guarded.lock.unlock();
  increment_twice(guarded);
}
inline void a_reader_tries_again_behind_a_thread_that_reads(Program& p) {
  auto& all = p.make<WithCoroutines>();
  check(all.lock.try_lock(), "nobody holds it yet");
  p.thread([&all] { read(all); });
  p.thread([&all] { all.coroutines[0] = read_async(all); });
  p.thread([&all] { release_and_write_inside_a_barrier(all); });
  p.at_end([&all] { check(all.coroutines[0].is_done(), "the coroutine has had the lock"); });
  expect_value(p, all, 2);
}
inline void a_reader_tries_again_before_a_thread_that_writes(Program& p) {
  auto& all = p.make<WithCoroutines>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.coroutines[0] = read_async(all);
  p.thread([&all] { increment_twice(all); });
  p.thread([&all] { release_and_write_inside_a_barrier(all); });
  p.at_end([&all] { check(all.coroutines[0].is_done(), "the coroutine has had the lock"); });
  expect_value(p, all, 4);
}
// When the writer in front leaves inside a barrier, threads behind it join who holds the lock shared, up to a
// coroutine.
inline void readers_join_up_to_a_coroutine(Program& p) {
  auto& all = p.make<WithCoroutines>();
  check(all.lock.try_lock_shared(), "nobody holds it yet");
  all.coroutines[0] = increment_async(all);
  p.thread([&all] { read(all); });
  p.thread([&all] { all.coroutines[1] = read_async(all); });
  p.thread([&all] {
    const ebr::Barrier barrier;
    all.coroutines[0].destroy();
    all.lock.unlock_shared();
    increment_twice(all);
  });
  p.at_end([&all] { check(all.coroutines[1].is_done(), "the coroutine has had the lock"); });
  expect_value(p, all, 2);
}

// Counts those who hold it shared.
struct Crowded : WithCoroutines {
  static constexpr int kMost = scree::detail::LockWord::kMostShared;

  void enter() { check(holders.fetch_add(1, memory_order_relaxed) < kMost, "no more hold it shared than may"); }
  void leave() {
    holders.fetch_sub(1, memory_order_relaxed);
    lock.unlock_shared();
  }
  // Of the program's own part.
  void hold(int places) {
    for (int n = 0; n < places; ++n) {
      check(lock.try_lock_shared(), "nobody holds it exclusively");
      enter();
    }
  }
  void read() {
    check(lock.lock_shared(), "the lock is not killed");
    enter();
    leave();
  }
  void destroy_the_writer_and_leave(int places) {
    coroutines[0].destroy();
    for (int n = 0; n < places; ++n) leave();
  }

  Atomic<int> holders{0};
};
inline Coroutine join_async(Crowded& all) {
  check(co_await all.lock.lock_shared_async(), "the lock is not killed");
  all.enter();
  all.leave();
}
// Behind the writer that leaves, more wait than may join.
inline void as_many_readers_join_as_may(Program& p) {
  auto& all = p.make<Crowded>();
  all.hold(Crowded::kMost - 1);
  all.coroutines[0] = increment_async(all);
  for (int n = 0; n < 2; ++n) p.thread([&all] { all.read(); });
  p.thread([&all] { all.destroy_the_writer_and_leave(Crowded::kMost - 1); });
  expect_value(p, all, 0);
}
// As many hold it as may, and one more may be looking in, when the writer leaves: the reader behind it waits.
inline void nobody_joins_beyond_the_most(Program& p) {
  auto& all = p.make<Crowded>();
  all.hold(Crowded::kMost);
  all.coroutines[0] = increment_async(all);
  all.coroutines[1] = join_async(all);
  p.thread([&all] { all.destroy_the_writer_and_leave(Crowded::kMost); });
  p.thread([&all] { all.read(); });
  p.at_end([&all] { check(all.coroutines[1].is_done(), "the one that waited has had the lock"); });
  expect_value(p, all, 0);
}

}  // namespace scree::model

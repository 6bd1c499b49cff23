// SPDX-License-Identifier: Apache-2.0
//
// Programs for the explorer in which coroutines that wait for a Lock are destroyed, or the lock is killed, and what
// was found by trying to break it.

#pragma once

#include <coroutine>

#include <scree/lock.h>

#include "lock_programs.h"
#include "model/explorer.h"
#include "support/coroutine.h"

namespace scree::model {

// Where a coroutine may be destroyed while another thread lets it on, an executor decides which comes first.
class Claims final : public ResumeHook {
 public:
  void resume(std::coroutine_handle<> coroutine) noexcept override {
    if (claim()) coroutine.resume();
  }
  bool claim() noexcept { return !claimed_.exchange(true, memory_order_acq_rel); }

 private:
  Atomic<bool> claimed_{false};
};

struct Claimed : WithCoroutines {
  // Coroutine 0 is resumed by its claim, or destroyed here.
  void destroy() {
    if (claims.claim()) coroutines[0].destroy();
  }
  template <class Begin>
  void begin(Begin begin_coroutine) {
    const ResumeScope scope(claims);
    coroutines[0] = begin_coroutine(*this);
  }

  Claims claims;
};

inline void destroy_beside_a_release(Program& p) {
  auto& all = p.make<Claimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin(increment_async);
  p.thread([&all] { all.lock.unlock(); });
  p.thread([&all] { all.destroy(); });
  p.at_end([&all] { expect_free(all.lock); });
}
inline void destroy_beside_a_release_and_a_thread(Program& p) {
  auto& all = p.make<Claimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin(increment_async);
  p.thread([&all] {
    all.value += 1;
    all.lock.unlock();
  });
  p.thread([&all] { all.destroy(); });
  p.thread([&all] { increment(all); });
  p.at_end([&all] { expect_free(all.lock); });
}
// The one in front, in the middle, at the end.
template <int kWhich>
void destroy_one_of_three(Program& p) {
  auto& all = p.make<Claimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  for (int n = 0; n < 3; ++n) {
    if (n == kWhich) {
      all.begin(increment_async);
    } else {
      all.coroutines[n == 0 ? kWhich : n] = increment_async(all);
    }
  }
  p.thread([&all] { all.lock.unlock(); });
  p.thread([&all] { all.destroy(); });
  p.at_end([&all] {
    expect_free(all.lock);
    check(all.value == 2 || all.value == 3, "the others have had the lock");
  });
}
// Two leave at once, so that one finds the queue locked by the other.
inline void destroy_two(Program& p) {
  auto& all = p.make<WithCoroutines>();
  check(all.lock.try_lock(), "nobody holds it yet");
  for (auto& coroutine : all.coroutines) coroutine = increment_async(all);
  p.thread([&all] { all.coroutines[0].destroy(); });
  p.thread([&all] { all.coroutines[1].destroy(); });
  p.at_end([&all] {
    all.lock.unlock();
    expect_free(all.lock);
    check(all.value == 1, "the one that stayed has had the lock");
  });
}
inline void destroy_beside_a_thread_that_comes(Program& p) {
  auto& all = p.make<WithCoroutines>();
  check(all.lock.try_lock_shared(), "nobody holds it yet");
  all.coroutines[0] = increment_async(all);
  p.thread([&all] {
    all.coroutines[0].destroy();
    all.lock.unlock_shared();
  });
  p.thread([&all] { read(all); });
  expect_value(p, all, 0);
}
// A reader that waits behind a writer joins who holds the lock shared, once the writer has left.
inline void readers_join_when_the_writer_leaves(Program& p) {
  auto& all = p.make<WithCoroutines>();
  check(all.lock.try_lock_shared(), "nobody holds it yet");
  all.coroutines[0] = increment_async(all);
  all.coroutines[1] = read_async(all);
  p.thread([&all] { all.coroutines[0].destroy(); });
  p.thread([&all] { read(all); });
  p.at_end([&all] {
    check(all.coroutines[1].is_done(), "the reader has had the lock");
    all.lock.unlock_shared();
    expect_free(all.lock);
  });
}
inline void destroy_a_writer_beside_the_last_reader(Program& p) {
  auto& all = p.make<Claimed>();
  check(all.lock.try_lock_shared(), "nobody holds it yet");
  all.begin(increment_twice_async);
  all.coroutines[1] = read_async(all);
  p.thread([&all] { all.destroy(); });
  p.thread([&all] { all.lock.unlock_shared(); });
  p.at_end([&all] {
    check(all.coroutines[1].is_done(), "the reader has had the lock");
    expect_free(all.lock);
  });
}
// What is on a ready list, because its thread is inside a barrier, is destroyed by that thread and by another one.
inline void destroy_what_is_ready(Program& p) {
  auto& all = p.make<Claimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin(increment_async);
  p.thread([&all] {
    const ebr::Barrier barrier;
    all.lock.unlock();
    all.destroy();
  });
  p.at_end([&all] {
    expect_free(all.lock);
    check(all.value == 0, "it was destroyed");
  });
}

struct Killed : WithCoroutines {
  Plain<int> replacement = 0;
};
inline void see_the_replacement(Killed& all, bool held) {
  check(!held, "a killed lock is not acquired");
  check(all.replacement == 1, "who finds it killed sees what replaces it");
  check(all.lock.is_killed(), "it stays killed");
}
inline Coroutine find_killed_async(Killed& all) { see_the_replacement(all, co_await all.lock.lock_async()); }
inline Coroutine find_killed_shared_async(Killed& all) {
  see_the_replacement(all, co_await all.lock.lock_shared_async());
}
inline void kill_beside_threads(Program& p) {
  auto& all = p.make<Killed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  p.thread([&all] {
    all.replacement = 1;
    all.lock.kill();
  });
  p.thread([&all] { see_the_replacement(all, all.lock.lock()); });
  p.thread([&all] { see_the_replacement(all, all.lock.lock_shared()); });
}
inline void look_beside_a_kill(Program& p) {
  auto& all = p.make<Killed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  p.thread([&all] {
    all.replacement = 1;
    all.lock.kill();
  });
  p.thread([&all] {
    if (all.lock.is_killed()) see_the_replacement(all, all.lock.try_lock());
  });
}
inline void kill_beside_coroutines(Program& p) {
  auto& all = p.make<Killed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.coroutines[0] = find_killed_async(all);
  all.coroutines[1] = find_killed_shared_async(all);
  p.thread([&all] {
    all.replacement = 1;
    all.lock.kill();
  });
  p.thread([&all] { all.coroutines[2] = find_killed_async(all); });
  p.at_end([&all] {
    for (const auto& coroutine : all.coroutines) check(coroutine.is_done(), "everybody is told");
  });
}
inline void kill_beside_a_leaver(Program& p) {
  auto& all = p.make<Killed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.coroutines[0] = find_killed_async(all);
  Killed* const killed = &all;
  auto& claims = p.make<Claims>();
  {
    const ResumeScope scope(claims);
    all.coroutines[1] = find_killed_async(all);
  }
  p.thread([killed] {
    killed->replacement = 1;
    killed->lock.kill();
  });
  p.thread([killed, &claims] {
    if (claims.claim()) killed->coroutines[1].destroy();
  });
  p.at_end([killed] { check(killed->coroutines[0].is_done(), "everybody is told"); });
}

// Three that come one after another: with a waiter that is woken, one that overtakes it, and one behind it, the last
// destroys the lock while the one before may still be on its way out of unlock().
inline void three_and_the_last_destroys(Program& p) {
  struct Counted {
    Lock lock;
    Plain<int> users = 3;
  };
  auto* const counted = new Counted;
  for (int n = 0; n < 3; ++n) {
    p.thread([counted] {
      check(counted->lock.lock(), "the lock is not killed");
      const bool is_last = (counted->users -= 1) == 0;
      counted->lock.unlock();
      if (is_last) delete counted;
    });
  }
}
// Coroutines as users, one of which leaves instead: whoever is last destroys the lock.
inline void a_leaver_and_the_last_destroys(Program& p) {
  struct Counted {
    Lock lock;
    Plain<int> users = 3;
    void leave() {
      const bool is_last = (users -= 1) == 0;
      lock.unlock();
      if (is_last) delete this;
    }
  };
  struct All {
    Coroutine coroutines[2];
    Claims claims;
  };
  auto* const counted = new Counted;
  auto& all = p.make<All>();
  check(counted->lock.try_lock(), "nobody holds it yet");
  const auto use = [](Counted* of) -> Coroutine {
    check(co_await of->lock.lock_async(), "the lock is not killed");
    of->leave();
  };
  {
    const ResumeScope scope(all.claims);
    all.coroutines[0] = use(counted);
  }
  all.coroutines[1] = use(counted);
  p.thread([counted] { counted->leave(); });
  p.thread([counted, &all] {
    if (!all.claims.claim()) return;
    all.coroutines[0].destroy();
    check(counted->lock.lock(), "the lock is not killed");
    counted->leave();
  });
}

// Each coroutine is resumed by its own claim, or destroyed.
struct AllClaimed : WithCoroutines {
  template <class Begin>
  void begin(int n, Begin begin_coroutine) {
    const ResumeScope scope(claims[n]);
    coroutines[n] = begin_coroutine(*this);
  }
  void destroy(int n) {
    if (claims[n].claim()) coroutines[n].destroy();
  }

  Claims claims[3];
};

inline void two_leave_beside_a_release(Program& p) {
  auto& all = p.make<AllClaimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  for (int n = 0; n < 2; ++n) all.begin(n, increment_async);
  all.coroutines[2] = increment_async(all);
  for (int n = 0; n < 2; ++n) p.thread([&all, n] { all.destroy(n); });
  p.thread([&all] { all.lock.unlock(); });
  p.at_end([&all] {
    check(all.coroutines[2].is_done(), "the one that stayed has had the lock");
    expect_free(all.lock);
  });
}
inline void two_leave_beside_the_last_reader(Program& p) {
  auto& all = p.make<AllClaimed>();
  check(all.lock.try_lock_shared(), "nobody holds it yet");
  all.begin(0, increment_twice_async);
  all.begin(1, read_async);
  all.coroutines[2] = read_async(all);
  for (int n = 0; n < 2; ++n) p.thread([&all, n] { all.destroy(n); });
  p.thread([&all] { all.lock.unlock_shared(); });
  p.at_end([&all] {
    check(all.coroutines[2].is_done(), "the one that stayed has had the lock");
    expect_free(all.lock);
  });
}
// The queue is pushed to while the newest one leaves.
inline void the_newest_leaves_beside_one_that_comes(Program& p) {
  auto& all = p.make<AllClaimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.coroutines[0] = increment_twice_async(all);
  all.begin(1, increment_twice_async);
  p.thread([&all] { all.destroy(1); });
  p.thread([&all] { read(all); });
  p.thread([&all] { all.lock.unlock(); });
  p.at_end([&all] {
    check(all.coroutines[0].is_done(), "the one that stayed has had the lock");
    expect_free(all.lock);
  });
}
// Beside a thread that is woken, or has lost, a coroutine comes and leaves.
inline void leave_beside_a_woken_thread(Program& p) {
  auto& all = p.make<AllClaimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  p.thread([&all] { increment_twice(all); });
  p.thread([&all] {
    all.begin(0, read_async);
    all.destroy(0);
  });
  p.thread([&all] {
    all.lock.unlock();
    increment_twice(all);
  });
  p.at_end([&all] {
    expect_free(all.lock);
    check(all.value == 4, "both threads have had the lock");
  });
}
inline void kill_beside_a_woken_thread(Program& p) {
  auto& all = p.make<Killed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  const auto use = [&all] {
    if (all.lock.lock()) {
      all.value += 1;
      all.lock.unlock();
    } else {
      see_the_replacement(all, false);
    }
  };
  p.thread(use);
  p.thread(use);
  p.thread([&all] {
    all.lock.unlock();
    check(all.lock.lock(), "it is not killed");
    all.replacement = 1;
    all.lock.kill();
  });
  p.at_end([&all] { check(!all.lock.try_lock() && all.lock.is_killed(), "it stays killed"); });
}
inline void kill_beside_two_leavers(Program& p) {
  struct All : Killed {
    Claims claims[2];
  };
  auto& all = p.make<All>();
  check(all.lock.try_lock(), "nobody holds it yet");
  for (int n = 0; n < 2; ++n) {
    const ResumeScope scope(all.claims[n]);
    all.coroutines[n] = n == 0 ? find_killed_async(all) : find_killed_shared_async(all);
  }
  all.coroutines[2] = find_killed_async(all);
  for (int n = 0; n < 2; ++n) {
    p.thread([&all, n] {
      if (all.claims[n].claim()) all.coroutines[n].destroy();
    });
  }
  p.thread([&all] {
    all.replacement = 1;
    all.lock.kill();
  });
  p.at_end([&all] { check(all.coroutines[2].is_done(), "everybody is told"); });
}
// Those that only look in, and count as readers while they do.
inline void visitors_beside_writers(Program& p) {
  auto& all = p.make<Guarded>();
  p.thread([&all] {
    for (int n = 0; n < 2; ++n) {
      if (!all.lock.try_lock_shared()) continue;
      check(all.value % 2 == 0, "a reader sees no half of a write");
      all.lock.unlock_shared();
    }
  });
  for (int n = 0; n < 2; ++n) p.thread([&all] { increment_twice(all); });
  expect_value(p, all, 4);
}
inline void visitors_beside_a_kill(Program& p) {
  auto& all = p.make<Killed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.coroutines[0] = find_killed_shared_async(all);
  p.thread([&all] {
    all.replacement = 1;
    all.lock.kill();
  });
  p.thread([&all] { check(!all.lock.try_lock_shared(), "nobody gets it"); });
  p.thread([&all] { see_the_replacement(all, all.lock.lock_shared()); });
  p.at_end([&all] {
    check(all.coroutines[0].is_done(), "everybody is told");
    check(!all.lock.try_lock_shared() && !all.lock.try_lock(), "nobody gets it");
  });
}
inline void readers_that_leave_beside_a_writer_that_waits(Program& p) {
  auto& all = p.make<AllClaimed>();
  for (int n = 0; n < 2; ++n) check(all.lock.try_lock_shared(), "nobody holds it exclusively");
  all.begin(0, increment_twice_async);
  for (int n = 0; n < 2; ++n) {
    p.thread([&all] {
      check(all.value % 2 == 0, "a reader sees no half of a write");
      all.lock.unlock_shared();
    });
  }
  p.thread([&all] {
    read(all);
    all.destroy(0);
  });
  p.at_end([&all] { expect_free(all.lock); });
}

// Where the count of readers is full (kMostShared), the next one waits as for a writer. One place is left at first.
inline void hold_all_places_but_one(Lock& lock) {
  for (auto n = scree::detail::LockWord::kMostShared; n > 1; --n) {
    check(lock.try_lock_shared(), "nobody holds it exclusively");
  }
}
inline void leave_all_places_but_one(Lock& lock) {
  for (auto n = scree::detail::LockWord::kMostShared; n > 1; --n) lock.unlock_shared();
}
inline void readers_beyond_the_most(Program& p) {
  auto& all = p.make<WithCoroutines>();
  hold_all_places_but_one(all.lock);
  p.thread([&all] {
    all.coroutines[0] = read_async(all);
    read(all);
  });
  p.thread([&all] { read(all); });
  p.thread([&all] {
    leave_all_places_but_one(all.lock);
    read(all);
  });
  expect_value(p, all, 0);
}
inline void readers_beyond_the_most_beside_a_leaving_writer(Program& p) {
  auto& all = p.make<AllClaimed>();
  hold_all_places_but_one(all.lock);
  all.begin(0, increment_twice_async);
  for (int n = 1; n < 3; ++n) all.coroutines[n] = read_async(all);
  p.thread([&all] { all.destroy(0); });
  p.thread([&all] { leave_all_places_but_one(all.lock); });
  p.thread([&all] { read(all); });
  p.at_end([&all] {
    check(all.coroutines[1].is_done() && all.coroutines[2].is_done(), "the readers have had the lock");
    expect_free(all.lock);
  });
}

// What is on a ready list until its thread's barrier ends is destroyed by another thread.
inline void another_destroys_what_is_ready(Program& p) {
  auto& all = p.make<AllClaimed>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.begin(0, increment_async);
  all.begin(1, increment_async);
  p.thread([&all] {
    const ebr::Barrier barrier;
    all.lock.unlock();
  });
  p.thread([&all] { all.destroy(0); });
  p.thread([&all] { all.destroy(1); });
  p.at_end([&all] { expect_free(all.lock); });
}
// A coroutine destroys another one that its thread was to resume next, whose lock then goes to a third.
inline void a_coroutine_destroys_what_is_ready(Program& p) {
  struct All : WithCoroutines {
    Guarded other;
  };
  auto& all = p.make<All>();
  check(all.lock.try_lock() && all.other.lock.try_lock(), "nobody holds them yet");
  const auto destroyer = [](All& of) -> Coroutine {
    check(co_await of.lock.lock_async(), "the lock is not killed");
    of.coroutines[1].destroy();
    check(!of.coroutines[2].is_done(), "no coroutine is resumed within another");
    of.lock.unlock();
  };
  all.coroutines[0] = destroyer(all);
  all.coroutines[1] = increment_async(all.other);
  all.coroutines[2] = increment_async(all.other);
  p.thread([&all] {
    const ebr::Barrier barrier;
    all.lock.unlock();
    all.other.lock.unlock();
  });
  p.thread([&all] { increment(all.other); });
  p.at_end([&all] {
    expect_free(all.lock);
    expect_free(all.other.lock);
    check(all.other.value == 2, "the third one has had the lock");
  });
}
// A hook that drops what it is given.
inline void a_hook_destroys_the_coroutine(Program& p) {
  struct All final : WithCoroutines, ResumeHook {
    void resume(std::coroutine_handle<>) noexcept override { coroutines[0].destroy(); }
  };
  auto& all = p.make<All>();
  check(all.lock.try_lock(), "nobody holds it yet");
  {
    const ResumeScope scope(all);
    all.coroutines[0] = increment_async(all);
  }
  all.coroutines[1] = increment_async(all);
  p.thread([&all] { all.lock.unlock(); });
  p.thread([&all] { increment(all); });
  expect_value(p, all, 2);
}

// Who lets a coroutine on within a barrier may wait for the same lock there: the coroutine was handed nothing.
inline void wait_inside_a_barrier_for_what_was_passed_on(Program& p) {
  auto& all = p.make<WithCoroutines>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.coroutines[0] = increment_async(all);
  p.thread([&all] {
    const ebr::Barrier barrier;
    all.lock.unlock();
    increment(all);
  });
  expect_value(p, all, 2);
}
// Two threads, each of which waits for what the other one passed on, within barriers.
inline void two_wait_inside_barriers_for_what_was_passed_on(Program& p) {
  struct All : WithCoroutines {
    Guarded other;
  };
  auto& all = p.make<All>();
  check(all.lock.try_lock() && all.other.lock.try_lock(), "nobody holds them yet");
  all.coroutines[0] = increment_async(all);
  all.coroutines[1] = increment_async(all.other);
  p.thread([&all] {
    const ebr::Barrier barrier;
    all.lock.unlock();
    increment(all.other);
  });
  p.thread([&all] {
    const ebr::Barrier barrier;
    all.other.lock.unlock();
    increment(all);
  });
}

}  // namespace scree::model

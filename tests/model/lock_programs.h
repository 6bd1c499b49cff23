// SPDX-License-Identifier: Apache-2.0
//
// Small programs over Lock for the explorer. lock_model_test.cc expects them to be right, lock_planted_test.cc to fail
// where a step of the protocol is broken.

#pragma once

#include <coroutine>

#include <scree/lock.h>

#include "model/explorer.h"
#include "support/coroutine.h"

namespace scree::model {

using test::Coroutine;

// What a lock protects. The explorer reports accesses that the lock does not order.
struct Guarded {
  Lock lock;
  Plain<int> value = 0;
};

inline void expect_free(Lock& lock) {
  check(lock.try_lock(), "in the end nobody holds the lock");
  lock.unlock();
}

inline void increment(Guarded& guarded) {
  check(guarded.lock.lock(), "the lock is not killed");
  guarded.value += 1;
  guarded.lock.unlock();
}
// Sees each write of another whole.
inline void increment_twice(Guarded& guarded) {
  check(guarded.lock.lock(), "the lock is not killed");
  guarded.value += 1;
  guarded.value += 1;
  guarded.lock.unlock();
}
inline void read(Guarded& guarded) {
  check(guarded.lock.lock_shared(), "the lock is not killed");
  check(guarded.value % 2 == 0, "a reader sees no half of a write");
  guarded.lock.unlock_shared();
}

inline Coroutine increment_async(Guarded& guarded) {
  check(co_await guarded.lock.lock_async(), "the lock is not killed");
  guarded.value += 1;
  guarded.lock.unlock();
}
inline Coroutine increment_twice_async(Guarded& guarded) {
  check(co_await guarded.lock.lock_async(), "the lock is not killed");
  guarded.value += 1;
  guarded.value += 1;
  guarded.lock.unlock();
}
inline Coroutine read_async(Guarded& guarded) {
  check(co_await guarded.lock.lock_shared_async(), "the lock is not killed");
  check(guarded.value % 2 == 0, "a reader sees no half of a write");
  guarded.lock.unlock_shared();
}

inline void expect_value(Program& p, Guarded& guarded, int value) {
  p.at_end([&guarded, value] {
    expect_free(guarded.lock);
    check(guarded.value == value, "everybody has had the lock");
  });
}

inline void two_writers(Program& p) {
  auto& guarded = p.make<Guarded>();
  for (int n = 0; n < 2; ++n) p.thread([&guarded] { increment(guarded); });
  expect_value(p, guarded, 2);
}
inline void three_writers(Program& p) {
  auto& guarded = p.make<Guarded>();
  for (int n = 0; n < 3; ++n) p.thread([&guarded] { increment(guarded); });
  expect_value(p, guarded, 3);
}
// So that a waiter is woken, loses against the other one, and is handed the lock.
inline void a_writer_that_comes_twice(Program& p) {
  auto& guarded = p.make<Guarded>();
  p.thread([&guarded] {
    increment(guarded);
    increment(guarded);
  });
  p.thread([&guarded] { increment(guarded); });
  expect_value(p, guarded, 3);
}
inline void a_writer_and_a_reader(Program& p) {
  auto& guarded = p.make<Guarded>();
  p.thread([&guarded] { increment_twice(guarded); });
  p.thread([&guarded] { read(guarded); });
  expect_value(p, guarded, 2);
}
inline void a_writer_and_two_readers(Program& p) {
  auto& guarded = p.make<Guarded>();
  p.thread([&guarded] { increment_twice(guarded); });
  for (int n = 0; n < 2; ++n) p.thread([&guarded] { read(guarded); });
  expect_value(p, guarded, 2);
}
inline void two_writers_and_a_reader(Program& p) {
  auto& guarded = p.make<Guarded>();
  p.thread([&guarded] { read(guarded); });
  for (int n = 0; n < 2; ++n) p.thread([&guarded] { increment_twice(guarded); });
  expect_value(p, guarded, 4);
}
inline void try_beside_a_writer(Program& p) {
  auto& guarded = p.make<Guarded>();
  p.thread([&guarded] { increment_twice(guarded); });
  p.thread([&guarded] {
    if (guarded.lock.try_lock()) {
      guarded.value += 2;
      guarded.lock.unlock();
    }
    if (guarded.lock.try_lock_shared()) {
      check(guarded.value % 2 == 0, "a reader sees no half of a write");
      guarded.lock.unlock_shared();
    }
  });
  p.at_end([&guarded] { expect_free(guarded.lock); });
}
// The last one destroys the lock as soon as it has it to itself.
inline void destroy_after_the_last_release(Program& p) {
  struct Counted {
    Lock lock;
    Plain<int> users = 2;
  };
  auto* const counted = new Counted;
  for (int n = 0; n < 2; ++n) {
    p.thread([counted] {
      check(counted->lock.lock(), "the lock is not killed");
      const bool is_last = (counted->users -= 1) == 0;
      counted->lock.unlock();
      if (is_last) delete counted;
    });
  }
}

// A coroutine's frame lives to the end of the program.
struct WithCoroutines : Guarded {
  Coroutine coroutines[3];
};

inline void two_coroutines(Program& p) {
  auto& all = p.make<WithCoroutines>();
  for (int n = 0; n < 2; ++n) p.thread([&all, n] { all.coroutines[n] = increment_async(all); });
  expect_value(p, all, 2);
}
inline void a_coroutine_and_a_thread(Program& p) {
  auto& all = p.make<WithCoroutines>();
  p.thread([&all] { all.coroutines[0] = increment_twice_async(all); });
  p.thread([&all] { increment(all); });
  expect_value(p, all, 3);
}
inline void two_coroutines_and_a_thread(Program& p) {
  auto& all = p.make<WithCoroutines>();
  for (int n = 0; n < 2; ++n) p.thread([&all, n] { all.coroutines[n] = increment_async(all); });
  p.thread([&all] { increment(all); });
  expect_value(p, all, 3);
}
// One that waits already is let on beside a thread that comes.
inline void a_waiting_coroutine(Program& p) {
  auto& all = p.make<WithCoroutines>();
  check(all.lock.try_lock(), "nobody holds it yet");
  all.coroutines[0] = increment_async(all);
  p.thread([&all] {
    all.value += 1;
    all.lock.unlock();
  });
  p.thread([&all] { increment(all); });
  expect_value(p, all, 3);
}
inline void waiting_readers(Program& p) {
  auto& all = p.make<WithCoroutines>();
  check(all.lock.try_lock(), "nobody holds it yet");
  for (auto& coroutine : all.coroutines) coroutine = read_async(all);
  p.thread([&all] {
    all.value += 2;
    all.lock.unlock();
  });
  p.thread([&all] { increment_twice(all); });
  expect_value(p, all, 4);
}
// Three coroutines, each let on by the one before: never one within another.
inline void coroutines_are_not_nested(Program& p) {
  struct All : WithCoroutines {
    Plain<int> depth = 0;
  };
  auto& all = p.make<All>();
  check(all.lock.try_lock(), "nobody holds it yet");
  const auto enter = [](All& of) -> Coroutine {
    check(co_await of.lock.lock_async(), "the lock is not killed");
    of.depth += 1;
    check(of.depth == 1, "no coroutine is resumed within another");
    of.value += 1;
    of.lock.unlock();
    of.depth -= 1;
  };
  for (auto& coroutine : all.coroutines) coroutine = enter(all);
  p.thread([&all] { all.lock.unlock(); });
  expect_value(p, all, 3);
}
// One that was let on within a barrier is resumed at its end.
inline void release_inside_barriers(Program& p) {
  auto& all = p.make<WithCoroutines>();
  check(all.lock.try_lock(), "nobody holds it yet");
  const auto enter = [](WithCoroutines& of) -> Coroutine {
    check(co_await of.lock.lock_async(), "the lock is not killed");
    const auto* const record = ebr::detail::this_record();
    check(record == nullptr || record->depth == 0, "it is resumed outside barriers");
    of.value += 1;
    of.lock.unlock();
  };
  all.coroutines[0] = enter(all);
  p.thread([&all] {
    const ebr::Barrier outer;
    {
      const ebr::Barrier inner;
      all.lock.unlock();
    }
    check(!all.coroutines[0].is_done(), "it waits for the end of the outermost barrier");
  });
  p.thread([&all] { increment(all); });
  expect_value(p, all, 2);
}

}  // namespace scree::model

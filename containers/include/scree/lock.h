// SPDX-License-Identifier: Apache-2.0
//
// A lock of one word, held exclusively by one or shared by many, for which threads and coroutines wait in one queue.
//
//   Lock lock;
//   if (lock.lock()) { …; lock.unlock(); }           // a thread sleeps
//   const bool held = co_await lock.lock_async();    // a coroutine is suspended
//   if (held) { …; lock.unlock(); }
//
// (g++ 12 may resume a coroutine at a wrong address if it awaits inside the condition of an `if`: give the result a
// name.)
//
// Nobody spins: who is not admitted tries once and waits. The oldest goes on first, one writer or all readers up to the
// next writer at a time; readers do not overtake a writer in the queue. A thread that asks at the right moment may
// overtake one that is asleep, or on its way: that goes to the end of the queue, but only so often, then it is handed
// the lock, as coroutines are. So nobody waits for ever while holders release it. It is not recursive, and nobody who
// holds it shared waits to hold it exclusively.
//
// A lock that protects something which has been replaced can be killed: whoever waits for it, or asks for it later, is
// told, and looks for the replacement.
//
// A coroutine that takes several locks, and may not wait for one while it holds another, tries to; where it finds one
// held, it releases those that it has, waits for that one with until_released_async(), and tries again. It is not
// handed the lock for the time until it is resumed: nobody has to wait for that.
//
// resume_hook.h says who resumes coroutines. One that a thread comes to let on inside a barrier, or in reclamation, is
// not handed the lock: it tries to take it, and goes on, when that thread is outside. A coroutine that waits may be
// destroyed, by any thread: it leaves the queue, or passes on what it was granted. Destroying one that is being resumed
// is an error, which checked builds report: where others may let it on meanwhile, a ResumeHook decides which comes
// first. A coroutine may release on another thread than it acquired on. One that blocks its thread also keeps those
// waiting which that thread was to resume next. Its promise must not throw out of resume().
//
// At most 8191 hold it shared at a time; more wait until these have left. The addresses of stacks and coroutines fit
// into 48 bits. The queue's idea is that of J. Mellor-Crummey and M. Scott (1991), of one word as in parking_lot and
// nsync.

#pragma once

#include <coroutine>

#include <scree/detail/lock_core.h>
#include <scree/detail/lock_slow.h>
#include <scree/ebr_barrier.h>
#include <scree/resume_hook.h>
#include <scree/sync_point.h>

namespace scree {

// What is awaited for a lock: `co_await` gives true when it is held (or was released, where that is all that is
// awaited), false when it is killed. Awaited once, where it was made.
class [[nodiscard]] LockAwaiter : private detail::Waiter {
 public:
  LockAwaiter(detail::LockCore& awaited, detail::LockMode wanted, ResumeHook* resumed_by) noexcept
      : Waiter(awaited, wanted) {
    hook = resumed_by;
  }
  ~LockAwaiter() {
    if (state.load(memory_order_relaxed) != kDone) lock.cancel(*this);
  }
  LockAwaiter(const LockAwaiter&) = delete;
  LockAwaiter& operator=(const LockAwaiter&) = delete;

  bool await_ready() noexcept { return lock.try_acquire(mode); }

  // False if there is nothing to wait for. Else the coroutine may have been resumed, and be gone, when this returns.
  bool await_suspend(std::coroutine_handle<> coroutine) noexcept {
    ebr::check_suspension();
    is_coroutine = true;
    handle = coroutine;
    state.store(kWaiting, memory_order_relaxed);
    const auto attempt = lock.take_or_queue(*this);
    if (attempt == detail::LockCore::Attempt::kQueued) return true;
    if (attempt == detail::LockCore::Attempt::kKilled) outcome = Outcome::kKilled;
    state.store(kDone, memory_order_relaxed);
    return false;
  }

  bool await_resume() noexcept {
    SCREE_SYNC_POINT("lock.resumes");
    state.store(kDone, memory_order_relaxed);
    return outcome == Outcome::kGranted;
  }
};

// std::lock_guard and std::shared_lock may hold one that is never killed: they do not look at what lock() returns.
// Whoever calls lock() or lock_shared() and gets true calls unlock() or unlock_shared(). Uncontended, each is one
// read-modify-write. A lock may be destroyed as soon as nobody holds it or waits for it, and every unlock_shared() and
// kill() has returned.
class Lock {
 public:
  constexpr Lock() noexcept = default;

  // True if it is held now; false if it is killed.
  [[nodiscard]] bool lock() noexcept { return core_.acquire(detail::LockMode::kExclusive); }
  [[nodiscard]] bool lock_shared() noexcept { return core_.acquire(detail::LockMode::kShared); }
  [[nodiscard]] LockAwaiter lock_async() noexcept {
    return {core_, detail::LockMode::kExclusive, detail::resume_hook()};
  }
  [[nodiscard]] LockAwaiter lock_shared_async() noexcept {
    return {core_, detail::LockMode::kShared, detail::resume_hook()};
  }
  // For who holds nothing afterwards: true once the lock is free, or whoever held it and those who had been waiting for
  // it have had it. By then somebody else may hold it. `hook`: who resumes it, if it is not this thread's.
  [[nodiscard]] LockAwaiter until_released_async(ResumeHook* hook = detail::resume_hook()) noexcept {
    return {core_, detail::LockMode::kNothing, hook};
  }

  // False also if somebody else holds it, or just looks. Lock-free.
  [[nodiscard]] bool try_lock() noexcept { return core_.try_acquire(detail::LockMode::kExclusive); }
  [[nodiscard]] bool try_lock_shared() noexcept { return core_.try_acquire(detail::LockMode::kShared); }

  void unlock() noexcept { core_.release_exclusive(); }
  void unlock_shared() noexcept { core_.release_shared(); }

  // Instead of unlock(): nobody gets it any more.
  void kill() noexcept { core_.kill(); }
  // What was done before kill() is seen.
  bool is_killed() const noexcept { return core_.is_killed(); }

 private:
  detail::LockCore core_;
};

}  // namespace scree

// SPDX-License-Identifier: Apache-2.0
//
// A thread or a coroutine that waits for a Lock. It lies on the thread's stack or in the coroutine's frame.

#pragma once

#include <coroutine>
#include <cstdint>

#include <scree/atomic.h>
#include <scree/detail/futex.h>
#include <scree/detail/lock_word.h>

namespace scree {
class ResumeHook;
}

namespace scree::detail {

class LockCore;
class ReadyList;

// Its alignment is 8, no more: g++ 12 misplaces frames of coroutines that await something aligned to 16.
class Waiter {
 public:
  enum class Outcome : std::uint8_t { kGranted, kKilled, kTryAgain };

  // A thread's waiter is kWaiting, then kDone.
  enum State : std::uint32_t {
    kWaiting,     // in the queue, or being pushed by its own thread or under the lock of `ready`
    kChosen,      // off the queue, with its outcome, by a thread that will put it on its ready list
    kReady,       // on the list `ready`
    kHandedOver,  // given to its hook
    kResuming,    // being resumed
    kDismissed,   // off the queue, as it wanted
    kDone,        // not waiting
  };
  // Beside a state: whoever destroys the coroutine sleeps until it changes.
  static constexpr std::uint32_t kWantsToLeave = 16;

  Waiter(LockCore& lock_waited_for, LockMode wanted) noexcept : mode(wanted), lock(lock_waited_for) {}

  // The calling thread's: sleeps until it is woken.
  Outcome park() const noexcept {
    while (state.load(memory_order_acquire) == kWaiting) futex_wait(state, kWaiting);  // [W2]
    return outcome;
  }
  // A thread's, with its outcome. It may be gone at once.
  void wake() noexcept {
    const Atomic<std::uint32_t>* const word = &state;
    state.store(kDone, memory_order_release);  // [W1]
    futex_wake(word);                          // [W1f]
  }

  // A coroutine's: goes on from one state to the next. Unless the caller has it on a locked list it may be gone then.
  void change(State from, State to) noexcept {
    const Atomic<std::uint32_t>* const word = &state;
    const std::uint32_t before = state.fetch_add(to - from, memory_order_release);  // [W3]
    if ((before & kWantsToLeave) != 0) futex_wake(word);                            // [W3f]
  }
  // False if it is not `now` any more.
  bool mark_leaving(std::uint32_t now) noexcept {
    return (now & kWantsToLeave) != 0 ||
           state.compare_exchange_strong(now, now | kWantsToLeave, memory_order_acquire, memory_order_relaxed);  // [W4]
  }
  bool wants_to_leave() const noexcept { return (state.load(memory_order_relaxed) & kWantsToLeave) != 0; }

  // A coroutine's, which is about to be pushed again. False if it wants to leave: then it must not be.
  bool may_wait_again() noexcept {
    std::uint32_t now = kReady;
    return state.compare_exchange_strong(now, kWaiting, memory_order_relaxed);  // [W5]
  }

  const LockMode mode;
  Plain<bool> is_coroutine = false;
  Plain<Outcome> outcome = Outcome::kGranted;
  Plain<std::uint8_t> losses = 0;  // how often a thread was woken and found the lock held
  Atomic<std::uint32_t> state{kDone};

  // In the queue: neighbours, and in one waiter the oldest of all (WaitQueue). Off it: the next one chosen, or the
  // neighbours on a ready list.
  Plain<Waiter*> older = nullptr;
  Plain<Waiter*> newer = nullptr;
  Plain<Waiter*> oldest = nullptr;

  // Of a coroutine.
  Plain<std::coroutine_handle<>> handle = nullptr;
  Plain<ResumeHook*> hook = nullptr;
  LockCore& lock;
  Atomic<ReadyList*> ready{nullptr};  // where it was put last; relaxed, as `state` orders it
};

}  // namespace scree::detail

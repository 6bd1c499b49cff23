// SPDX-License-Identifier: Apache-2.0
//
// A Lock's waiting: docs/protocols/lock.md.

#pragma once

#include <cstdint>

#include <scree/atomic.h>
#include <scree/detail/futex.h>
#include <scree/detail/lock_core.h>
#include <scree/detail/misuse.h>
#include <scree/detail/ready_list.h>
#include <scree/detail/wait_queue.h>
#include <scree/sync_point.h>

namespace scree::detail {

// A thread that was woken so often, and each time found the lock held by one that came later, is handed it.
#if SCREE_MODEL || SCREE_SMALL_CAPACITIES
inline constexpr std::uint8_t kMostLosses = 1;
#else
inline constexpr std::uint8_t kMostLosses = 8;
#endif

// Waiters off the queue in the order in which they are to go on, linked by `older`.
struct LockCore::Chosen {
  void add(WaitQueue& queue, Waiter& waiter, Waiter::Outcome outcome) noexcept {
    queue.remove(waiter);
    waiter.outcome = outcome;
    waiter.older = nullptr;
    if (last != nullptr) {
      last->older = &waiter;
    } else {
      first = &waiter;
    }
    last = &waiter;
    if (waiter.is_coroutine) waiter.change(Waiter::kWaiting, Waiter::kChosen);
  }
  void add_readers(WaitQueue& queue, std::uint32_t readers) noexcept {
    for (; readers != 0; --readers) add(queue, *queue.front(), Waiter::Outcome::kGranted);
  }

  // Lets them go on. The lock may be gone by now.
  void deliver() noexcept {
    bool coroutines = false;
    for (Waiter* waiter = first; waiter != nullptr;) {
      Waiter* const next = waiter->older;
      if (waiter->is_coroutine) {
        ReadyList::current().push(*waiter);
        coroutines = true;
      } else {
        waiter->wake();
      }
      waiter = next;
    }
    if (coroutines) ReadyList::current().resume_all();
  }

  Waiter* first = nullptr;
  Waiter* last = nullptr;
};

// What becomes of an exclusive hold that is passed on.
struct LockCore::Grant {
  bool is_nobodys() const noexcept { return readers == 0 && !keeps_exclusive && !wakes; }
  LockWord applied_to(LockWord word, bool mine) const noexcept {
    if (!mine || keeps_exclusive) return word;
    word = word.without_exclusive().with_shared(readers);
    return wakes ? word.someone_woken() : word;
  }

  std::uint32_t readers = 0;
  bool keeps_exclusive = false;  // for the one that was chosen
  bool wakes = false;            // a thread, which is to try again
};

[[gnu::noinline]] inline LockCore::Attempt LockCore::take_or_queue(LockWord word, Waiter& waiter, bool woken) noexcept {
  for (;;) {
    if (take_if_admitted(word, waiter.mode, woken)) return Attempt::kHeld;
    if (word.is_killed()) {
      static_cast<void>(word_.load(memory_order_acquire));  // [K2] what was done before kill() is seen
      return Attempt::kKilled;
    }
    waiter.older = word.newest();
    waiter.oldest = word.has_waiters() ? nullptr : &waiter;
    const LockWord queued = woken ? word.with_newest(&waiter).without_woken() : word.with_newest(&waiter);
    if (word_.compare_exchange_weak(word.bits(), queued.bits(), memory_order_release,  // [P1]
                                    memory_order_relaxed)) {
      return Attempt::kQueued;
    }
  }
}

[[gnu::noinline]] inline bool LockCore::acquire_slow(LockMode mode) noexcept {
  Waiter me(*this, mode);
  LockWord word(word_.load(memory_order_relaxed));
  for (bool woken = false;; woken = true) {
    me.state.store(Waiter::kWaiting, memory_order_relaxed);
    const Attempt attempt = take_or_queue(word, me, woken);
    if (attempt != Attempt::kQueued) return attempt == Attempt::kHeld;
    SCREE_SYNC_POINT("lock.parks");
    const Waiter::Outcome outcome = me.park();
    if (outcome != Waiter::Outcome::kTryAgain) return outcome == Waiter::Outcome::kGranted;
    if (me.losses < kMostLosses) ++me.losses;
    word = LockWord(word_.load(memory_order_relaxed));
  }
}

inline bool LockCore::try_again(Waiter& waiter) noexcept {
  if (!waiter.may_wait_again()) {
    waiter.change(Waiter::kReady, Waiter::kDismissed);
    return false;
  }
  const Attempt attempt = waiter.lock.take_or_queue(waiter);
  if (attempt == Attempt::kQueued) return false;
  waiter.outcome = attempt == Attempt::kHeld ? Waiter::Outcome::kGranted : Waiter::Outcome::kKilled;
  waiter.change(Waiter::kWaiting, Waiter::kReady);
  return true;
}

[[gnu::noinline]] inline void LockCore::release_exclusive_slow() noexcept {
  LockWord word(word_.load(memory_order_relaxed));
  for (;;) {
    const bool serves = word.is_unserved();
    const LockWord after = serves ? word.queue_locked() : word.without_exclusive();
    if (word_.compare_exchange_weak(word.bits(), after.bits(), memory_order_release, memory_order_relaxed)) {  // [U3]
      if (serves) settle(true);
      return;
    }
  }
}

// By the last to release it shared, after that.
[[gnu::noinline]] inline void LockCore::serve_if_free() noexcept {
  LockWord word(word_.load(memory_order_relaxed));
  while (word.is_free() && word.is_unserved()) {
    const LockWord after = word.exclusive().queue_locked();
    if (word_.compare_exchange_weak(word.bits(), after.bits(), memory_order_relaxed)) {  // [U4]
      settle(true);
      return;
    }
  }
}

[[gnu::noinline]] inline void LockCore::kill() noexcept {
  LockWord word(word_.load(memory_order_relaxed));
  for (;;) {
    const bool serves = word.has_waiters() && !word.is_queue_locked();
    const LockWord killed = word.without_exclusive().killed();
    const LockWord after = serves ? killed.queue_locked() : killed;
    if (word_.compare_exchange_weak(word.bits(), after.bits(), memory_order_release, memory_order_relaxed)) {  // [K1]
      if (serves) settle(false);
      return;
    }
  }
}

inline void LockCore::settle(bool mine) noexcept {
  WaitQueue queue(word_);
  Chosen chosen;
  Grant grant;
  for (;;) {
    LockWord word(word_.load(memory_order_relaxed));
    if (word.is_someone_leaving()) {
      dismiss_leavers(queue, word);
    } else if (word.is_killed() && word.has_waiters()) {
      while (Waiter* const front = queue.front()) chosen.add(queue, *front, Waiter::Outcome::kKilled);
    } else if (mine && grant.is_nobodys() && word.has_waiters()) {
      grant = choose(queue, chosen);
    } else if (!mine && word.awaits_service() && word.is_free()) {
      // Released while the queue was locked.
      mine = word_.compare_exchange_strong(word.bits(), word.exclusive().bits(), memory_order_relaxed);  // [S1]
    } else if (mine || !word.awaits_service() || !join_readers(queue, chosen, word)) {
      const LockWord after = grant.applied_to(word.without_queue_locked(), mine);
      if (word_.compare_exchange_strong(word.bits(), after.bits(), memory_order_release,  // [S2]
                                        memory_order_relaxed)) {
        break;
      }
    }
  }
  SCREE_SYNC_POINT("lock.delivers");
  chosen.deliver();
}

// One writer, or the readers up to the next one; or one who only waits, and then it is nobody's. A coroutine that this
// thread could not resume now gets nothing, as it would keep others waiting who this thread may be waiting for before
// it is outside: it is taken off, and tries again then.
inline LockCore::Grant LockCore::choose(WaitQueue& queue, Chosen& chosen) noexcept {
  Waiter& front = *queue.front();
  Grant grant;
  if (front.mode == LockMode::kNothing) {
    chosen.add(queue, front, Waiter::Outcome::kGranted);
  } else if (front.is_coroutine && !ReadyList::is_free_to_resume()) {
    chosen.add(queue, front, Waiter::Outcome::kTryAgain);
  } else if (front.mode == LockMode::kShared) {
    grant.readers = readers_to_go_on(queue, LockWord::kMostShared);
    chosen.add_readers(queue, grant.readers);
  } else if (front.is_coroutine || front.losses >= kMostLosses) {
    grant.keeps_exclusive = true;
    chosen.add(queue, front, Waiter::Outcome::kGranted);
  } else {
    grant.wakes = true;
    chosen.add(queue, front, Waiter::Outcome::kTryAgain);
  }
  return grant;
}

// Readers that waited for a writer that has left the queue join those who hold the lock. False if there are none.
inline bool LockCore::join_readers(WaitQueue& queue, Chosen& chosen, LockWord word) noexcept {
  if (word.is_exclusive()) return false;
  if (word.shared() >= LockWord::kMostShared) return false;
  const std::uint32_t readers = readers_to_go_on(queue, LockWord::kMostShared - word.shared());
  if (readers == 0) return false;
  if (word_.compare_exchange_strong(word.bits(), word.with_shared(readers).bits(), memory_order_relaxed)) {  // [S3]
    chosen.add_readers(queue, readers);
  }
  return true;
}

inline std::uint32_t LockCore::readers_to_go_on(WaitQueue& queue, std::uint32_t most) noexcept {
  return queue.readers_in_front(most, ReadyList::is_free_to_resume());
}

inline void LockCore::dismiss_leavers(WaitQueue& queue, LockWord word) noexcept {
  if (!word_.compare_exchange_strong(word.bits(), word.without_leaving().bits(), memory_order_relaxed)) {  // [L2]
    return;
  }
  queue.for_each([&queue](Waiter& waiter) {
    if (!waiter.wants_to_leave()) return;
    queue.remove(waiter);
    waiter.change(Waiter::kWaiting, Waiter::kDismissed);
  });
}

[[gnu::noinline]] inline void LockCore::cancel(Waiter& waiter) noexcept {
  for (;;) {
    std::uint32_t state = waiter.state.load(memory_order_acquire);  // [C1]
    switch (state & ~Waiter::kWantsToLeave) {
      case Waiter::kWaiting:
        if (leave_queue(waiter, state)) return;
        break;
      case Waiter::kChosen:  // by a thread that is about to put it on its ready list
        if (waiter.mark_leaving(state)) futex_wait(waiter.state, Waiter::kChosen | Waiter::kWantsToLeave);
        break;
      case Waiter::kReady:
        if (!ReadyList::take_back(waiter)) break;
        [[fallthrough]];
      case Waiter::kHandedOver:
        if (waiter.outcome == Waiter::Outcome::kGranted) release(waiter.mode);
        return;
      case Waiter::kResuming:
#if SCREE_CHECKED
        misused("a coroutine is destroyed while it is being resumed");
#else
        return;
#endif
      default:  // kDismissed
        return;
    }
  }
}

// False if its state is to be looked at again.
inline bool LockCore::leave_queue(Waiter& waiter, std::uint32_t state) noexcept {
  // From now on nobody pushes it again, and whoever is about to has done so.
  if (!waiter.mark_leaving(state)) return false;
  ReadyList::await_push(waiter);
  LockWord word(word_.load(memory_order_relaxed));
  if (!word.is_queue_locked()) {
    if (!word_.compare_exchange_strong(word.bits(), word.queue_locked().bits(), memory_order_acquire,  // [C2]
                                       memory_order_relaxed)) {
      return false;
    }
    const bool waits = (waiter.state.load(memory_order_relaxed) & ~Waiter::kWantsToLeave) == Waiter::kWaiting;
    if (waits) WaitQueue(word_).remove(waiter);
    settle(false);
    return waits;
  }
  // Whoever has the queue locked takes it out, or has just chosen it.
  if (word_.compare_exchange_strong(word.bits(), word.someone_leaving().bits(), memory_order_release,  // [L1]
                                    memory_order_relaxed)) {
    futex_wait(waiter.state, Waiter::kWaiting | Waiter::kWantsToLeave);
  }
  return false;
}

}  // namespace scree::detail

// SPDX-License-Identifier: Apache-2.0
//
// What a Lock does to its word: the part that needs no waiting. lock_slow.h has the rest; the protocol, its steps
// (numbered in brackets) and the argument for each memory order are on docs/protocols/lock.md.

#pragma once

#include <cstdint>

#include <scree/atomic.h>
#include <scree/detail/lock_word.h>
#include <scree/detail/waiter.h>

namespace scree::detail {

class WaitQueue;

class LockCore {
 public:
  constexpr LockCore() noexcept = default;
  LockCore(const LockCore&) = delete;
  LockCore& operator=(const LockCore&) = delete;

  bool try_acquire(LockMode mode) noexcept {
    // Looked at first: visitors that come again and again would keep it from ever being free.
    if (mode == LockMode::kShared) return LockWord(word_.load(memory_order_relaxed)).admits(mode) && visit();
    if (mode == LockMode::kExclusive && take_if_untouched()) return true;
    LockWord word(word_.load(memory_order_relaxed));
    return take_if_admitted(word, mode, false);
  }

  // False if the lock is killed.
  bool acquire(LockMode mode) noexcept {
    if (mode == LockMode::kShared ? visit() : take_if_untouched()) [[likely]] {
      return true;
    }
    return acquire_slow(mode);
  }

  void release(LockMode mode) noexcept {
    if (mode == LockMode::kExclusive) {
      release_exclusive();
    } else if (mode == LockMode::kShared) {
      release_shared();
    }
  }

  void release_exclusive() noexcept {
    std::uint64_t held = LockWord().exclusive().bits();
    if (word_.compare_exchange_strong(held, 0, memory_order_release, memory_order_relaxed)) [[likely]] {  // [U1]
      return;
    }
    release_exclusive_slow();
  }

  void release_shared() noexcept {
    const LockWord before(word_.fetch_sub(LockWord::kOneShared, memory_order_release));  // [U2]
    if (before.shared() == 1 && before.is_unserved()) [[unlikely]] {
      serve_if_free();
    }
  }

  // Releases it for ever. By who holds it exclusively.
  void kill() noexcept;

  // Acquire: what was done before kill() is seen.
  bool is_killed() const noexcept { return LockWord(word_.load(memory_order_acquire)).is_killed(); }  // [K3]

  enum class Attempt { kHeld, kKilled, kQueued };
  // Takes the lock for `waiter` if it is admitted; else pushes it, and then it may be gone at once.
  Attempt take_or_queue(LockWord word, Waiter& waiter, bool woken) noexcept;
  // As take_or_queue() for a coroutine's attempt.
  Attempt take_or_queue(Waiter& waiter) noexcept {
    return take_or_queue(LockWord(word_.load(memory_order_relaxed)), waiter, false);
  }
  // For a coroutine off the queue, kReady, under the lock of its ready list. True if it is to be resumed, with its
  // outcome; else it waits again, or its destroyer goes on, and it may be gone.
  static bool try_again(Waiter& waiter) noexcept;

  // Ends the wait of a coroutine that is being destroyed: it leaves the queue, or lets go of what it was granted.
  void cancel(Waiter& waiter) noexcept;

 private:
  struct Chosen;
  struct Grant;

  // The word is not loaded first: mostly the lock is free, and nobody waits.
  bool take_if_untouched() noexcept {
    std::uint64_t free = 0;
    return word_.compare_exchange_strong(free, LockWord().exclusive().bits(), memory_order_acquire,  // [A1]
                                         memory_order_relaxed);
  }
  // Holds it shared if that is admitted; else it has only looked in, and leaves as a holder does.
  bool visit() noexcept {
    const LockWord before(word_.fetch_add(LockWord::kOneShared, memory_order_acquire));  // [A3]
    if (before.admits(LockMode::kShared)) [[likely]] {
      return true;
    }
    release_shared();
    return false;
  }
  // `woken`: by a thread that was woken, and has tried with this.
  bool take_if_admitted(LockWord& word, LockMode mode, bool woken) noexcept {
    while (word.admits(mode)) {
      const LockWord held = woken ? word.held(mode).without_woken() : word.held(mode);
      if (word_.compare_exchange_weak(word.bits(), held.bits(), memory_order_acquire,  // [A2]
                                      memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  bool acquire_slow(LockMode mode) noexcept;
  void release_exclusive_slow() noexcept;
  void serve_if_free() noexcept;

  // With the queue locked: unlocks it, and leaves it so that somebody is going to serve whoever waits. `mine`: the
  // caller holds the lock exclusively, to pass it on or to release it.
  void settle(bool mine) noexcept;
  static Grant choose(WaitQueue& queue, Chosen& chosen) noexcept;
  static std::uint32_t readers_to_go_on(WaitQueue& queue, std::uint32_t most) noexcept;
  bool join_readers(WaitQueue& queue, Chosen& chosen, LockWord word) noexcept;
  void dismiss_leavers(WaitQueue& queue, LockWord word) noexcept;
  bool leave_queue(Waiter& waiter, std::uint32_t state) noexcept;

  Atomic<std::uint64_t> word_{0};
};

}  // namespace scree::detail

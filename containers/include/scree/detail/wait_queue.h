// SPDX-License-Identifier: Apache-2.0
//
// Those who wait for a Lock, oldest first. Anyone pushes, without waiting, by exchanging the newest one in the lock's
// word; everything else is done by the one thread that has the queue locked.
//
// A pusher links only `older`. Invariants while the queue is locked, of the waiters in it:
//   Q1  exactly one has `oldest` set: the anchor;
//   Q2  the anchor and all that are older have `newer` right, except the anchor itself;
//   Q3  those above the anchor were pushed since it became the newest one.
// The next thread that locks the queue starts from the newest one, completes `newer` down to the anchor, and makes the
// newest one the anchor: amortized O(1) per waiter.

#pragma once

#include <cstdint>

#include <scree/atomic.h>
#include <scree/detail/lock_word.h>
#include <scree/detail/waiter.h>

namespace scree::detail {

class WaitQueue {
 public:
  explicit WaitQueue(Atomic<std::uint64_t>& word) noexcept : word_(word) {}

  // Null if nobody waits.
  Waiter* front() noexcept {
    Waiter* const newest = sort();
    if (newest == nullptr) return nullptr;
    return newest->oldest;
  }

  // How many readers are in front of the first writer, up to `most`; of the first coroutine, too, unless these count.
  std::uint32_t readers_in_front(std::uint32_t most, bool with_coroutines) noexcept {
    Waiter* const newest = sort();
    std::uint32_t n = 0;
    for (Waiter* waiter = newest->oldest; n < most && waiter->mode == LockMode::kShared; waiter = waiter->newer) {
      if (waiter->is_coroutine && !with_coroutines) break;
      ++n;
      if (waiter == newest) break;
    }
    return n;
  }

  void remove(Waiter& waiter) noexcept {
    Waiter* newest = sort();
    while (newest == &waiter) {
      if (remove_newest(waiter)) return;
      newest = sort();
    }
    Waiter* const newer = waiter.newer;
    Waiter* const older = waiter.older;
    newer->older = older;
    if (older != nullptr) {
      older->newer = newer;
    } else {
      newest->oldest = newer;
    }
  }

  // Calls `f(waiter)` for each, the newest first; `f` may remove it.
  template <class F>
  void for_each(F f) noexcept {
    for (Waiter* waiter = sort(); waiter != nullptr;) {
      Waiter* const older = waiter->older;
      f(*waiter);
      waiter = older;
    }
  }

 private:
  // Completes `newer`, and makes the newest waiter the anchor. Returns it; null if nobody waits.
  Waiter* sort() noexcept {
    Waiter* const newest = LockWord(word_.load(memory_order_acquire)).newest();  // [Q1]
    if (newest == nullptr || newest->oldest != nullptr) return newest;
    Waiter* waiter = newest;
    do {
      Waiter* const older = waiter->older;
      older->newer = waiter;
      waiter = older;
    } while (waiter->oldest == nullptr);
    newest->oldest = waiter->oldest;
    waiter->oldest = nullptr;
    return newest;
  }

  // False if it is not the newest any more.
  bool remove_newest(Waiter& newest) noexcept {
    Waiter* const older = newest.older;
    if (older != nullptr) older->oldest = newest.oldest;
    LockWord word(word_.load(memory_order_relaxed));
    while (word.newest() == &newest) {
      // Relaxed: what changed in the queue is for the next one who locks it.
      if (word_.compare_exchange_weak(word.bits(), word.with_newest(older).bits(), memory_order_relaxed)) {  // [Q2]
        return true;
      }
    }
    if (older != nullptr) older->oldest = nullptr;
    return false;
  }

  Atomic<std::uint64_t>& word_;
};

}  // namespace scree::detail

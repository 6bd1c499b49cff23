// SPDX-License-Identifier: Apache-2.0
//
// Ownership of an entry that has two owners: the *first*, who put it into a container, and the *second*, the container,
// whose share passes to whoever takes the entry out. It is freed when both have let go of it and no barrier can reach
// it any more. Protocol: docs/protocols/stack.md, Two owners; its steps are numbered here.
//
// Each owner lets go once, by one thread; the two need not know of each other. A first owner that goes first, as most
// do, pays for a barrier and two plain accesses.

#pragma once

#include <cstddef>
#include <cstdint>

#include <scree/atomic.h>
#include <scree/ebr_barrier.h>
#include <scree/sync_point.h>

namespace scree::detail {

class TwoOwners {
 public:
  // The first owner lets go. If true it was the last, and it frees the entry; else it does not touch it again.
  [[nodiscard]] bool first_lets_go() noexcept {
    // A grace period that begins after D1 found false waits for D2.
    const ebr::Barrier barrier;
    if (!second_gone_.load(memory_order_relaxed)) {  // [D1]
      SCREE_SYNC_POINT("two_owners:first:alone");
      first_.store(kGone, memory_order_relaxed);  // [D2] the barrier's end releases it to D6
      return false;
    }
    SCREE_SYNC_POINT("two_owners:first:race");
    return first_.exchange(kGone, memory_order_acq_rel) == kScanned;  // [D3]
  }

  // The second owner lets go, after the entry was unlinked, and does not touch it again. After a grace period
  // `scan(entry)` runs, which asks is_free_after_grace().
  void second_lets_go(void* entry, void (*scan)(void*), std::size_t bytes) noexcept {
    second_gone_.store(true, memory_order_relaxed);  // [D4] the retirement releases it
    SCREE_SYNC_POINT("two_owners:second:gone");
    ebr::detail::retire({entry, scan}, bytes);  // [D5]
  }

  // Once, after the grace period of D5. If true nobody owns the entry any more, and the caller frees it; else the first
  // owner will.
  [[nodiscard]] bool is_free_after_grace() noexcept {
    return first_.load(memory_order_acquire) == kGone ||              // [D6]
           first_.exchange(kScanned, memory_order_acq_rel) == kGone;  // [D7]
  }

 private:
  enum State : std::uint8_t {
    kHolds,    // the first owner has not let go
    kGone,     // it has
    kScanned,  // it had not when the second owner's grace period was over
  };
  Atomic<std::uint8_t> first_{kHolds};
  Atomic<bool> second_gone_{false};
};

}  // namespace scree::detail

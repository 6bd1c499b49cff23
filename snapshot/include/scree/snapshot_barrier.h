// SPDX-License-Identifier: Apache-2.0
//
// SnapshotBarrier: a point in time of all versioned indexes that share a clock. Protocol: docs/protocols/snapshot.md.

#pragma once

#include <utility>

#include <scree/commit_clock.h>

namespace scree {

// While it lives, every version that is the newest at sequence() stays in memory; it holds no ebr epoch, so it may live
// for minutes. Taking one takes no lock, never waits for a writer, and costs a look at the slots of those that are
// held. A copy is a further handle to the same point in time. Any thread may use it; destroy it before its clock.
class SnapshotBarrier {
 public:
  explicit SnapshotBarrier(CommitClock& clock) : clock_(&clock), slot_(&clock.take_slot(clock.visible())) {
    SCREE_SYNC_POINT("snapshot:announced");
    clock.fence();                // T2: whoever prunes without having seen the slot read visible() before T3 does
    sequence_ = clock.visible();  // T3
    slot_->held.store(sequence_ + 1, memory_order_release);  // T4
  }

  SnapshotBarrier(const SnapshotBarrier& other) noexcept
      : clock_(other.clock_), slot_(other.slot_), sequence_(other.sequence_) {
    if (slot_ != nullptr) slot_->handles.fetch_add(1, memory_order_relaxed);
  }
  SnapshotBarrier(SnapshotBarrier&& other) noexcept
      : clock_(other.clock_), slot_(std::exchange(other.slot_, nullptr)), sequence_(other.sequence_) {}
  SnapshotBarrier& operator=(SnapshotBarrier other) noexcept {
    std::swap(clock_, other.clock_);
    std::swap(slot_, other.slot_);
    std::swap(sequence_, other.sequence_);
    return *this;
  }
  ~SnapshotBarrier() {
    // The last handle frees the slot after whatever was read through the others.
    if (slot_ != nullptr && slot_->handles.fetch_sub(1, memory_order_acq_rel) == 1) {
      slot_->held.store(CommitClock::kFree, memory_order_release);
    }
  }

  // Commits numbered up to here are seen, later ones are not.
  Sequence sequence() const noexcept { return sequence_; }
  const CommitClock& clock() const noexcept { return *clock_; }

 private:
  CommitClock* clock_;
  CommitClock::Slot* slot_;  // null: moved from
  Sequence sequence_ = 0;
};

}  // namespace scree

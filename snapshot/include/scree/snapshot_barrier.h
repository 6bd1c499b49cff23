// SPDX-License-Identifier: Apache-2.0
//
// SnapshotBarrier: a point in time of all versioned indexes that share a clock. Protocol: docs/protocols/snapshot.md.

#pragma once

#include <utility>

#include <scree/commit_clock.h>

namespace scree {

// While it lives, every version that is the newest at sequence() stays in memory; it holds no ebr epoch, so it may live for
// minutes. Taking one is O(1), takes no lock, never waits for a writer. A copy is a further handle to the same point in
// time. Any thread may use it; destroy it before its clock.
class SnapshotBarrier {
 public:
  explicit SnapshotBarrier(CommitClock& clock) : clock_(&clock), slot_(&clock.take_slot(clock.visible())) {
    SCREE_SYNC_POINT("snapshot:announced");
    // T2-T4: whoever prunes without having seen the announced bound read visible() before this does.
    std::atomic_thread_fence(memory_order_seq_cst);
    sequence_ = clock.visible();
    slot_->store(sequence_ + 1, memory_order_release);
  }

  // `other` keeps what the copy needs until the copy's slot holds it too.
  SnapshotBarrier(const SnapshotBarrier& other)
      : clock_(other.clock_), slot_(&clock_->take_slot(other.sequence_)), sequence_(other.sequence_) {}
  SnapshotBarrier(SnapshotBarrier&& other) noexcept
      : clock_(other.clock_), slot_(std::exchange(other.slot_, nullptr)), sequence_(other.sequence_) {}
  SnapshotBarrier& operator=(SnapshotBarrier other) noexcept {
    std::swap(clock_, other.clock_);
    std::swap(slot_, other.slot_);
    std::swap(sequence_, other.sequence_);
    return *this;
  }
  ~SnapshotBarrier() {
    if (slot_ != nullptr) slot_->store(CommitClock::kFree, memory_order_release);
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

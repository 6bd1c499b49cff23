// SPDX-License-Identifier: Apache-2.0
//
// Snapshot barriers: whoever prunes keeps what a snapshot that is held, or just being taken, can see.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <scree/commit_clock.h>
#include <scree/snapshot_barrier.h>

#include "containers/stop_at.h"
#include "snapshot/stores.h"
#include "snapshot/verdict.h"

namespace scree::test {
namespace {

// The right clock, with the interface of SteppedClock below.
class RightClock {
 public:
  using Snapshot = SnapshotBarrier;
  void commit() { clock_.complete(clock_.begin()); }
  Snapshot take() { return Snapshot(clock_); }
  Sequence horizon() const { return clock_.horizon(); }

 private:
  CommitClock clock_;
};

TEST(SnapshotBarrier, copies_and_moves_hold_the_same_point_over_many_blocks_of_slots) {
  RightClock clock;
  std::vector<SnapshotBarrier> held;
  for (int n = 0; n < 200; ++n) {
    clock.commit();
    held.push_back(clock.take());
    held.push_back(held.back());
  }
  for (std::size_t i = 0; i < held.size(); ++i) EXPECT_EQ(held[i].sequence(), i / 2 + 1);
  // Oldest first: the horizon follows once both handles of a point are gone, however they moved.
  for (std::size_t i = 0; i < held.size(); i += 2) {
    EXPECT_EQ(clock.horizon(), i / 2 + 1);
    SnapshotBarrier moved = std::move(held[i]);
    EXPECT_EQ(clock.horizon(), i / 2 + 1);
    held[i + 1] = std::move(moved);
    EXPECT_EQ(clock.horizon(), i / 2 + 1);
    { const SnapshotBarrier gone = std::move(held[i + 1]); }
  }
  EXPECT_EQ(clock.horizon(), 200u);
  // Slots are used again.
  const SnapshotBarrier again = clock.take();
  clock.commit();
  EXPECT_EQ(clock.horizon(), 200u);
}

TEST(SnapshotBarrier, assignment_lets_go_of_what_was_held_before) {
  RightClock clock;
  SnapshotBarrier a = clock.take();
  clock.commit();
  const SnapshotBarrier b = clock.take();
  EXPECT_EQ(clock.horizon(), 0u);
  a = b;
  EXPECT_EQ(clock.horizon(), 1u);
  a = *&a;
  EXPECT_EQ(a.sequence(), 1u);
  clock.commit();
  EXPECT_EQ(clock.horizon(), 1u);
}

#if SCREE_SYNC_POINTS

enum class Bug { kNone, kReadsBeforeAnnouncing, kScansBeforeReading, kCopiesToAnotherSlot };

// The steps T1-T4 and P1-P2 on two slots, in the right order or in a wrong one.
template <Bug kBug>
class SteppedClock {
 public:
  class Snapshot {
   public:
    Snapshot(SteppedClock& clock, std::size_t slot, Sequence sequence)
        : clock_(&clock), slot_(slot), sequence_(sequence) {}
    Snapshot(const Snapshot& other) : clock_(other.clock_), slot_(other.slot_), sequence_(other.sequence_) {
      if (kBug == Bug::kCopiesToAnotherSlot) {
        slot_ = clock_->take_slot(sequence_);
      } else {
        ++clock_->handles_[slot_];
      }
    }
    Snapshot& operator=(const Snapshot&) = delete;
    ~Snapshot() {
      if (--clock_->handles_[slot_] == 0) clock_->held_[slot_] = 0;
    }
    Sequence sequence() const { return sequence_; }

   private:
    SteppedClock* clock_;
    std::size_t slot_;
    Sequence sequence_;
  };

  void commit() { ++visible_; }

  Snapshot take() {
    if (kBug == Bug::kReadsBeforeAnnouncing) {
      const Sequence sequence = visible_;
      SCREE_SYNC_POINT("snapshot:announced");
      return Snapshot(*this, take_slot(sequence), sequence);
    }
    const std::size_t slot = take_slot(visible_);
    SCREE_SYNC_POINT("snapshot:announced");
    const Sequence sequence = visible_;
    held_[slot] = sequence + 1;
    return Snapshot(*this, slot, sequence);
  }

  Sequence horizon() const {
    if (kBug == Bug::kScansBeforeReading) {
      const Sequence held = oldest_held();
      SCREE_SYNC_POINT("clock:horizon:visible");
      return std::min(held, visible_);
    }
    const Sequence visible = visible_;
    SCREE_SYNC_POINT("clock:horizon:visible");
    return std::min(visible, oldest_held());
  }

 private:
  std::size_t take_slot(Sequence number) {
    const std::size_t slot = held_[0] == 0 ? 0 : 1;
    held_[slot] = number + 1;
    handles_[slot] = 1;
    return slot;
  }
  Sequence oldest_held() const {
    Sequence oldest = ~Sequence{0};
    for (const Sequence& held : held_) {
      if (held != 0) oldest = std::min(oldest, held - 1);
      SCREE_SYNC_POINT("clock:horizon:scanned");
    }
    return oldest;
  }

  Sequence visible_ = 0;
  Sequence held_[2] = {0, 0};
  int handles_[2] = {0, 0};
};

std::optional<std::string> compare(Sequence horizon, Sequence snapshot) {
  if (horizon <= snapshot) return std::nullopt;
  return "what a snapshot at " + std::to_string(snapshot) + " sees is pruned at " + std::to_string(horizon);
}

// Others commit and look for the horizon while a snapshot is being taken.
template <class Clock>
std::optional<std::string> check_taking() {
  Clock clock;
  clock.commit();
  Sequence horizon = 0;
  const StopAt stop("snapshot:announced", [&] {
    clock.commit();
    horizon = clock.horizon();
  });
  const auto snapshot = clock.take();
  return compare(horizon, snapshot.sequence());
}

TEST(SnapshotBarrier, a_horizon_found_while_a_snapshot_is_taken_is_not_above_it) {
  EXPECT_TRUE(is_right(check_taking<RightClock>()));
  EXPECT_TRUE(is_right(check_taking<SteppedClock<Bug::kNone>>()));
}
TEST(SnapshotBarrier, reading_the_number_before_announcing_is_caught) {
  EXPECT_FALSE(is_right(check_taking<SteppedClock<Bug::kReadsBeforeAnnouncing>>()));
}

// A snapshot is taken, and a commit follows it, while someone looks for the horizon.
template <class Clock>
std::optional<std::string> check_horizon() {
  Clock clock;
  clock.commit();
  std::unique_ptr<typename Clock::Snapshot> snapshot;
  const StopAt stop("clock:horizon:visible", [&] {
    snapshot = std::make_unique<typename Clock::Snapshot>(clock.take());
    clock.commit();
  });
  const Sequence horizon = clock.horizon();
  return compare(horizon, snapshot->sequence());
}

TEST(SnapshotBarrier, a_snapshot_taken_while_someone_looks_for_the_horizon_is_not_below_it) {
  EXPECT_TRUE(is_right(check_horizon<RightClock>()));
  EXPECT_TRUE(is_right(check_horizon<SteppedClock<Bug::kNone>>()));
}
TEST(SnapshotBarrier, scanning_the_slots_before_reading_the_number_is_caught) {
  EXPECT_FALSE(is_right(check_horizon<SteppedClock<Bug::kScansBeforeReading>>()));
}

// A snapshot in the second slot is copied, and the original goes, after the first slot, now free, was scanned.
template <class Clock>
std::optional<std::string> check_copy() {
  Clock clock;
  using Snapshot = typename Clock::Snapshot;
  auto first = std::make_unique<Snapshot>(clock.take()), second = std::make_unique<Snapshot>(clock.take());
  std::unique_ptr<Snapshot> copy;
  first.reset();
  clock.commit();
  const StopAt stop("clock:horizon:scanned", [&] {
    copy = std::make_unique<Snapshot>(*second);
    second.reset();
  });
  const Sequence horizon = clock.horizon();
  return compare(horizon, copy->sequence());
}

TEST(SnapshotBarrier, a_copy_is_held_by_whoever_scanned_half_of_the_slots) {
  EXPECT_TRUE(is_right(check_copy<RightClock>()));
  EXPECT_TRUE(is_right(check_copy<SteppedClock<Bug::kNone>>()));
}
TEST(SnapshotBarrier, a_copy_with_a_slot_of_its_own_is_caught) {
  EXPECT_FALSE(is_right(check_copy<SteppedClock<Bug::kCopiesToAnotherSlot>>()));
}

TEST(SnapshotBarrier, keys_overwritten_while_a_snapshot_is_taken_are_all_there) {
  RealStore<> store;
  Contents expected;
  const auto overwrite = [&](std::int64_t value) {
    for (std::uint64_t key = 0; key < 20; ++key) {
      const Place place{static_cast<int>(key % 2), key};
      store.commit({{place, value}});
      expected[place] = value;
    }
  };
  overwrite(0);
  const StopAt stop("snapshot:announced", [&] {
    for (int n = 1; n <= 50; ++n) overwrite(n);
  });
  const auto snapshot = store.snapshot();
  const Contents first = expected;
  EXPECT_EQ(store.contents(snapshot), first);
  for (int n = 51; n <= 100; ++n) overwrite(n);
  EXPECT_EQ(store.contents(snapshot), first);
}

#endif

}  // namespace
}  // namespace scree::test

// SPDX-License-Identifier: Apache-2.0

#include "support/history.h"

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "support/history_workload.h"

namespace scree::test {
namespace {

Event event(Op op, std::int64_t argument, bool ok, std::uint64_t invoked, std::uint64_t responded,
            std::optional<std::int64_t> result = {}) {
  return {.key = 1, .op = op, .argument = argument, .ok = ok, .result = result, .invoked = invoked,
          .responded = responded};
}

TEST(HistoryChecker, accepts_a_sequential_history) {
  EXPECT_TRUE(is_linearizable({event(Op::kInsert, 1, true, 1, 2), event(Op::kInsert, 2, false, 3, 4),
                               event(Op::kRead, 0, true, 5, 6, 1), event(Op::kUpsert, 3, true, 7, 8),
                               event(Op::kRemoveIfOdd, 0, true, 9, 10), event(Op::kRemove, 0, false, 11, 12),
                               event(Op::kFindOrInsert, 4, true, 13, 14, 4), event(Op::kRemoveIfOdd, 0, false, 15, 16)}));
}

TEST(HistoryChecker, accepts_concurrent_operations_in_either_order) {
  for (const bool found : {false, true}) {
    EXPECT_TRUE(is_linearizable({event(Op::kInsert, 1, true, 1, 4),
                                 event(Op::kRead, 0, found, 2, 3, found ? std::optional<std::int64_t>(1) : std::nullopt)}));
  }
}

TEST(HistoryChecker, accepts_an_operation_that_takes_effect_long_after_others_began) {
  EXPECT_TRUE(is_linearizable({event(Op::kUpsert, 1, true, 1, 20), event(Op::kInsert, 2, true, 2, 3),
                               event(Op::kRead, 0, true, 4, 5, 2), event(Op::kRead, 0, true, 6, 7, 1),
                               event(Op::kUpsert, 3, true, 8, 9), event(Op::kRead, 0, true, 10, 11, 3)}));
}

TEST(HistoryChecker, refuses_a_lost_update) {
  EXPECT_FALSE(is_linearizable({event(Op::kInsert, 1, true, 1, 2), event(Op::kUpsert, 2, true, 3, 4),
                                event(Op::kRead, 0, true, 5, 6, 1)}));
}

TEST(HistoryChecker, refuses_a_stale_read) {
  // Two reads one after the other, both beside an upsert: the second may not go back.
  EXPECT_FALSE(is_linearizable({event(Op::kInsert, 1, true, 1, 2), event(Op::kUpsert, 2, true, 3, 10),
                                event(Op::kRead, 0, true, 4, 5, 2), event(Op::kRead, 0, true, 6, 7, 1)}));
}

TEST(HistoryChecker, refuses_two_inserts_that_both_succeed) {
  EXPECT_FALSE(is_linearizable({event(Op::kInsert, 1, true, 1, 4), event(Op::kInsert, 2, true, 2, 3)}));
}

TEST(HistoryChecker, refuses_two_removals_of_one_entry) {
  EXPECT_FALSE(is_linearizable({event(Op::kInsert, 1, true, 1, 2), event(Op::kRemove, 0, true, 3, 6),
                                event(Op::kRemoveIfOdd, 0, true, 4, 5)}));
}

TEST(HistoryChecker, refuses_a_miss_of_a_key_that_is_only_replaced) {
  EXPECT_FALSE(is_linearizable({event(Op::kInsert, 1, true, 1, 2), event(Op::kUpsert, 2, true, 3, 6),
                                event(Op::kRead, 0, false, 4, 5)}));
}

TEST(HistoryChecker, refuses_a_value_that_was_never_written) {
  EXPECT_FALSE(is_linearizable({event(Op::kInsert, 1, true, 1, 2), event(Op::kRead, 0, true, 3, 4, 7)}));
}

TEST(HistoryChecker, refuses_find_or_insert_that_returns_another_value_than_it_found) {
  EXPECT_FALSE(is_linearizable({event(Op::kInsert, 1, true, 1, 2), event(Op::kFindOrInsert, 2, false, 3, 4, 2)}));
}

// A correct map, and variants with one bug each.
class LockedMap {
 public:
  enum class Bug { kNone, kLosesUpdates, kReadsStale, kInsertsTwice, kRemovesTwice };
  explicit LockedMap(Bug bug = Bug::kNone) : bug_(bug) {}

  void operator()(Event& e) {
    const std::lock_guard lock(mutex_);
    const auto found = map_.find(e.key);
    const bool present = found != map_.end();
    const bool strike = ++operations_ % 16 == 0;
    switch (e.op) {
      case Op::kInsert:
        e.ok = !present || (strike && bug_ == Bug::kInsertsTwice);
        if (e.ok) map_[e.key] = e.argument;
        break;
      case Op::kUpsert:
        e.ok = present;
        if (!(strike && bug_ == Bug::kLosesUpdates)) map_[e.key] = e.argument;
        break;
      case Op::kRemove:
        e.ok = present || (strike && bug_ == Bug::kRemovesTwice);
        map_.erase(e.key);
        break;
      case Op::kRemoveIfOdd:
        e.ok = present && found->second % 2 != 0;
        if (e.ok) map_.erase(found);
        break;
      case Op::kRead: {
        const auto& map = strike && bug_ == Bug::kReadsStale ? before_ : map_;
        e.ok = map.contains(e.key);
        if (e.ok) e.result = map.at(e.key);
        if (operations_ % 64 == 0) before_ = map_;
        break;
      }
      case Op::kFindOrInsert:
        e.ok = !present;
        if (!present) map_[e.key] = e.argument;
        e.result = map_[e.key];
        break;
      case Op::kUpdate:
        e.ok = present;
        if (present) e.result = std::exchange(found->second, e.argument);
        break;
    }
  }

 private:
  const Bug bug_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::int64_t> map_;
  std::map<std::uint64_t, std::int64_t> before_;
  std::uint64_t operations_ = 0;
};

TEST(HistoryChecker, accepts_a_locked_map) {
  LockedMap map;
  EXPECT_EQ(run_and_check({}, map), std::nullopt);
}

TEST(HistoryChecker, catches_each_planted_bug) {
  for (const auto bug : {LockedMap::Bug::kLosesUpdates, LockedMap::Bug::kReadsStale, LockedMap::Bug::kInsertsTwice,
                         LockedMap::Bug::kRemovesTwice}) {
    LockedMap map(bug);
    EXPECT_NE(run_and_check({}, map), std::nullopt) << "bug " << static_cast<int>(bug);
  }
}

}  // namespace
}  // namespace scree::test

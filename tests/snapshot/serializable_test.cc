// SPDX-License-Identifier: Apache-2.0
//
// Commits, snapshots and reads of concurrent threads have one order that agrees with real time.

#include <gtest/gtest.h>

#include "containers/jitter.h"
#include "snapshot/broken_stores.h"
#include "snapshot/checkers.h"

namespace scree::test {
namespace {

TEST(Serializable, commits_snapshots_and_reads_have_one_order_that_agrees_with_real_time) {
  const Jitter jitter;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) ASSERT_TRUE(is_right(check_serializable<RealStore<>>(seed)));
}
TEST(Serializable, a_commit_published_early_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_serializable<PublishesEarly>(seed); }));
}
TEST(Serializable, half_a_batch_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_serializable<AppliesHalfABatch>(seed); }));
}
TEST(Serializable, a_commit_that_returns_early_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_serializable<ReturnsEarly>(seed); }));
}
TEST(Serializable, eager_pruning_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_serializable<PrunesTooEagerly<>>(seed); }));
}

TEST(Bank, every_snapshot_sums_to_the_same_and_shows_what_had_returned) {
  const Jitter jitter;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) ASSERT_TRUE(is_right(check_bank<RealStore<>>(seed)));
}
TEST(Bank, a_transfer_published_early_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_bank<PublishesEarly>(seed); }));
}
TEST(Bank, half_a_transfer_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_bank<AppliesHalfABatch>(seed); }));
}
TEST(Bank, a_transfer_that_returns_early_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_bank<ReturnsEarly>(seed); }));
}

TEST(Cuts, each_snapshot_is_a_cut_of_one_order_of_all_commits) {
  const Jitter jitter;
  ASSERT_TRUE(is_right(check_cuts<RealStore<>>(1)));
}
TEST(Cuts, a_commit_published_early_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_cuts<PublishesEarly>(seed, 20); }));
}
TEST(Cuts, half_a_batch_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_cuts<AppliesHalfABatch>(seed, 20); }));
}

// What the checker itself must tell apart, without threads.
CommitRecord commit(Interval interval, std::uint64_t sequence, std::vector<PlaceWrite> writes) {
  return {interval, sequence, std::move(writes)};
}

TEST(CommitHistory, accepts_any_order_of_what_overlaps) {
  CommitHistory history;
  history.commits = {commit({1, 6}, 2, {{{0, 1}, 20}}), commit({2, 5}, 1, {{{0, 1}, 10}, {{0, 1}, 11}})};
  history.snapshots = {{{3, 4}, 1, {{{0, 1}, 11}}}, {{7, 8}, 2, {{{0, 1}, 20}}}};
  history.gets = {{{3, 4}, {0, 1}, std::nullopt}, {{4, 5}, {0, 1}, 11}, {{7, 8}, {0, 1}, 20}};
  EXPECT_TRUE(is_right(find_serializability_violation(history)));
}
TEST(CommitHistory, reports_a_later_commit_with_a_lower_number) {
  CommitHistory history;
  history.commits = {commit({1, 2}, 2, {}), commit({3, 4}, 1, {})};
  EXPECT_TRUE(find_serializability_violation(history));
}
TEST(CommitHistory, reports_a_snapshot_that_misses_what_had_returned) {
  CommitHistory history;
  history.commits = {commit({1, 2}, 1, {{{0, 1}, 10}})};
  history.snapshots = {{{3, 4}, 0, {}}};
  EXPECT_TRUE(find_serializability_violation(history));
}
TEST(CommitHistory, reports_a_snapshot_that_shows_something_else_than_its_number) {
  CommitHistory history;
  history.commits = {commit({1, 2}, 1, {{{0, 1}, 10}, {{1, 1}, 10}})};
  history.snapshots = {{{3, 4}, 1, {{{0, 1}, 10}}}};
  EXPECT_TRUE(find_serializability_violation(history));
}
TEST(CommitHistory, reports_a_read_of_what_was_overwritten_before) {
  CommitHistory history;
  history.commits = {commit({1, 2}, 1, {{{0, 1}, 10}}), commit({3, 4}, 2, {{{0, 1}, 20}})};
  history.gets = {{{5, 6}, {0, 1}, 10}};
  EXPECT_TRUE(find_serializability_violation(history));
}
TEST(CommitHistory, reports_a_read_of_what_was_written_later) {
  CommitHistory history;
  history.commits = {commit({3, 4}, 1, {{{0, 1}, 10}})};
  history.gets = {{{1, 2}, {0, 1}, 10}};
  EXPECT_TRUE(find_serializability_violation(history));
}
TEST(CommitHistory, reports_reads_that_go_back_in_time) {
  CommitHistory history;
  history.commits = {commit({1, 8}, 1, {{{0, 1}, 10}})};
  history.gets = {{{2, 3}, {0, 1}, 10}, {{4, 5}, {0, 1}, std::nullopt}};
  EXPECT_TRUE(find_serializability_violation(history));
}

}  // namespace
}  // namespace scree::test

// SPDX-License-Identifier: Apache-2.0
//
// Pruning takes what no one can see, and nothing else.

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "containers/jitter.h"
#include "containers/reclaim.h"
#include "containers/stop_at.h"
#include "snapshot/broken_stores.h"
#include "snapshot/checkers.h"

namespace scree::test {
namespace {

TEST(Pruning, a_held_snapshot_never_changes_while_hot_keys_are_overwritten) {
  const Jitter jitter;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) ASSERT_TRUE(is_right(check_held_snapshots<RealStore<>>(seed)));
}
TEST(Pruning, eager_pruning_is_caught) {
  EXPECT_TRUE(is_caught([](auto seed) { return check_held_snapshots<PrunesTooEagerly<>>(seed, 500); }));
}

TEST(Pruning, without_snapshots_chains_stay_short) {
  EXPECT_TRUE(is_right(check_chains_stay_short<RealStore<>>(1000, 3)));
  EXPECT_TRUE(is_right(check_chains_stay_short<RealStore<Bytes>>(1000, 3)));
}
TEST(Pruning, a_store_that_never_prunes_is_caught) {
  EXPECT_FALSE(is_right(check_chains_stay_short<NeverPrunes<>>(1000, 3)));
}

TEST(Pruning, overlapping_snapshots_do_not_let_a_chain_grow_for_ever) {
  EXPECT_TRUE(is_right(check_overlapping_snapshots<RealStore<>>(20'000, 200, 2000)));
}
TEST(Pruning, growth_for_ever_is_caught) {
  EXPECT_FALSE(is_right(check_overlapping_snapshots<NeverPrunes<>>(20'000, 200, 2000)));
}

TEST(Pruning, what_a_snapshot_held_is_pruned_once_it_is_gone) {
  RealStore<> store;
  {
    const auto snapshot = store.snapshot();
    for (int n = 0; n < 5000; ++n) store.commit({{{0, 1}, n}});
    EXPECT_EQ(store.versions({0, 1}), 5000u);
  }
  store.commit({{{0, 1}, 5000}});
  EXPECT_EQ(store.versions({0, 1}), 2u);
}

TEST(Pruning, a_read_without_a_snapshot_never_misses_an_ever_present_key) {
  const Jitter jitter;
  EXPECT_TRUE(is_right(check_ever_present<RealStore<>>(3000)));
}

TEST(Pruning, every_version_is_destroyed_exactly_once) {
  Atomic<int> alive{0};
  {
    CommitClock clock;
    VersionedTree<int, Counted> tree(clock);
    VersionedHash<int, Counted> hash(clock);
    const Jitter jitter;
    std::vector<std::thread> writers;
    for (int w = 0; w < 3; ++w) {
      writers.emplace_back([&, w] {
        for (int n = 0; n < 1000; ++n) {
          tree.put(0, Counted(alive, n));
          hash.put(w % 2, Counted(alive, n));
          VersionedBatch batch;
          batch.put(tree, 0, Counted(alive, n));
          batch.put(tree, 0, Counted(alive, n));
          batch.put(hash, 1, Counted(alive, n));
          if (n % 3 != 0) apply(std::move(batch));
          tree.read(0, [](const Counted& value) { EXPECT_GE(value.value(), 0); });
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_GT(alive.load(), 0);
  }
  ASSERT_TRUE(reclaim_all());
  EXPECT_EQ(alive.load(), 0);
}

#if SCREE_SYNC_POINTS

// Between the moment when a read takes its number and its walk, the key is overwritten and the old version pruned.
template <class Store>
std::optional<std::string> check_read_of_a_pruned_version() {
  for (const int index : {0, 1}) {
    const Place place{index, 1};
    Store store;
    store.commit({{place, 1}});
    const StopAt stop("index:visible", [&] {
      store.commit({{place, 2}});
      store.commit({{place, 3}});
    });
    const std::optional<std::int64_t> value = store.get(place);
    if (value != 3) return "the key was read as " + detail::describe(value);
  }
  return std::nullopt;
}

TEST(Pruning, a_read_whose_version_was_pruned_looks_again) {
  EXPECT_TRUE(is_right(check_read_of_a_pruned_version<RealStore<>>()));
}
TEST(Pruning, a_read_that_looks_only_once_is_caught) {
  EXPECT_FALSE(is_right(check_read_of_a_pruned_version<LooksOnce>()));
}

#endif

}  // namespace
}  // namespace scree::test

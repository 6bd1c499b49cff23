// SPDX-License-Identifier: Apache-2.0
//
// Coroutines that await the removal of a range of a TreeIndex: beside nobody, and beside a thread that is stopped in a
// structural change of a leaf in the range.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <scree/ebr.h>
#include <scree/resume_hook.h>
#include <scree/tree_index.h>

#include "index_configs.h"
#include "index_steps.h"
#include "reclaim.h"
#include "support/coroutine.h"
#include "support/tree_walk.h"
#include "tree_index_async.h"

namespace scree::test {
namespace {

template <class Index, class Lower, class Upper>
Coroutine remove_range(Index& index, const Lower& lower, const Upper& upper, std::optional<std::size_t>& result) {
  const std::size_t removed = co_await index.remove_range_async(lower, upper);
  EXPECT_EQ(result, std::nullopt) << "it completes once";
  EXPECT_TRUE(is_outside());
  result = removed;
}

template <class Config>
class TreeIndexAsyncRange : public testing::Test {
 public:
  using Index = TreeIndex<typename Config::Key, typename Config::Value>;
};
using Configs = testing::Types<Integers, IntegersToStrings, Strings, Vectors>;
TYPED_TEST_SUITE(TreeIndexAsyncRange, Configs);

// Empty ranges, and those that are the wrong way round, come by.
TYPED_TEST(TreeIndexAsyncRange, does_what_the_operation_of_threads_does) {
  using Config = TypeParam;
  constexpr BoundKind kKinds[] = {BoundKind::kUnbounded, BoundKind::kIncluded, BoundKind::kExcluded};
  std::mt19937_64 random(1);
  for (const std::uint64_t keys : {3, 40, 300, 3000}) {
    typename TestFixture::Index index, other;
    for (int round = 0; round < 30; ++round) {
      for (std::uint64_t n = 0; n < keys / 2; ++n) {
        const auto key = Config::key(random() % keys);
        index.upsert(key, Config::value(n));
        other.upsert(key, Config::value(n));
      }
      const std::uint64_t low = random() % keys, length = random() % (keys / (1 + random() % 8) + 1);
      const Bound lower{kKinds[random() % 8 == 0 ? 0 : 1 + random() % 2], Config::key(low)};
      const Bound upper{kKinds[random() % 8 == 0 ? 0 : 1 + random() % 2],
                        Config::key(random() % 16 == 0 ? low / 2 : low + length)};
      std::optional<std::size_t> removed;
      EXPECT_TRUE(remove_range(index, lower, upper, removed).is_done());
      EXPECT_EQ(removed, other.remove_range(lower, upper));
      EXPECT_EQ(entries_of<Config>(index), entries_of<Config>(other));
      EXPECT_TRUE(size_is_exact(index));
    }
  }
  typename TestFixture::Index index;
  for (std::uint64_t n = 0; n < 1000; ++n) index.insert(Config::key(n), Config::value(n));
  std::optional<std::size_t> removed;
  EXPECT_TRUE(remove_range(index, unbounded, unbounded, removed).is_done());
  EXPECT_EQ(removed, 1000u);
  EXPECT_TRUE(index.is_empty());
}

#if SCREE_SYNC_POINTS

class TreeIndexAsyncRangeAt : public testing::TestWithParam<Stop> {
 protected:
  static const Stop& stop() { return GetParam(); }
  // Keys 10 n.
  static constexpr std::uint64_t kFirst = 300, kEnd = 800;

  template <class Index>
  static std::size_t in_range(const Index& index, bool all) {
    const ebr::Barrier barrier;
    std::size_t count = 0;
    for (const auto& [key, value] : index.range(included(kFirst * 10), excluded(kEnd * 10), barrier)) {
      count += all || key % 10 == 0 ? 1 : 0;
    }
    return count;
  }
  template <class Index>
  static void expect_the_others(const Index& index) {
    for (std::uint64_t n = 0; n < stop().entries; ++n) {
      if (n >= kFirst && n < kEnd) continue;
      EXPECT_TRUE(index.contains(n * 10)) << n;
    }
    EXPECT_TRUE(size_is_exact(index));
  }

  // With a hook, it is resumed when the thread has ended.
  template <class V>
  static void check_that_it_waits_and_completes(bool with_hook) {
    TreeIndex<std::uint64_t, V> index;
    fill(index, stop().entries);
    const Bound lower{BoundKind::kIncluded, kFirst * 10}, upper{BoundKind::kExcluded, kEnd * 10};
    std::optional<std::size_t> removed;
    Collects hook;
    Coroutine coroutine;
    {
      WaitingThread writer([&](auto pause) {
        const StopAt at(stop().point, pause);
        stop().run(index);
      });
      ASSERT_TRUE(writer.is_paused());
      {
        std::optional<ResumeScope> scope;
        if (with_hook) scope.emplace(hook);
        coroutine = remove_range(index, lower, upper, removed);
      }
      EXPECT_FALSE(coroutine.is_done());
      EXPECT_TRUE(is_outside());
      writer.finish();
    }
    while (!hook.collected.empty()) {
      const ResumeScope scope(hook);
      std::exchange(hook.collected, {})[0].resume();
    }
    EXPECT_TRUE(coroutine.is_done());
    EXPECT_GT(removed, 0u);
    // What the thread puts in meanwhile may have been passed.
    EXPECT_EQ(in_range(index, false), 0u);
    expect_the_others(index);
  }
};

TEST_P(TreeIndexAsyncRangeAt, waits_and_completes_by_the_thread_that_goes_on) {
  check_that_it_waits_and_completes<std::int64_t>(false);
  check_that_it_waits_and_completes<Cell>(false);
  EXPECT_TRUE(reclaim_all());
}

TEST_P(TreeIndexAsyncRangeAt, waits_and_completes_by_its_hook) {
  check_that_it_waits_and_completes<std::int64_t>(true);
  check_that_it_waits_and_completes<Cell>(true);
  EXPECT_TRUE(reclaim_all());
}

TEST_P(TreeIndexAsyncRangeAt, is_destroyed_while_it_waits) {
  for (const bool after_the_change : {false, true}) {
    Numbers index;
    fill(index, stop().entries);
    const Bound lower{BoundKind::kIncluded, kFirst * 10}, upper{BoundKind::kExcluded, kEnd * 10};
    std::optional<std::size_t> removed;
    Collects hook;
    Coroutine coroutine;
    WaitingThread writer([&](auto pause) {
      const StopAt at(stop().point, pause);
      stop().run(index);
    });
    ASSERT_TRUE(writer.is_paused());
    {
      const ResumeScope scope(hook);
      coroutine = remove_range(index, lower, upper, removed);
    }
    ASSERT_FALSE(coroutine.is_done());
    if (after_the_change) {
      writer.finish();
      EXPECT_TRUE(reclaim_all());
    }
    std::thread([&] { coroutine.destroy(); }).join();
    writer.finish();
    EXPECT_EQ(removed, std::nullopt);
    expect_the_others(index);
    const std::size_t left = in_range(index, true);
    EXPECT_EQ(index.remove_range(lower, upper), left);
    EXPECT_EQ(in_range(index, true), 0u);
    expect_the_others(index);
  }
  EXPECT_TRUE(reclaim_all());
}

INSTANTIATE_TEST_SUITE_P(Of, TreeIndexAsyncRangeAt, testing::ValuesIn(kStops),
                         [](const auto& of) { return of.param.name(); });

// It waits below the second inner node: what has come in again below the first one stays.
TEST(TreeIndexAsyncRangeEntries, goes_on_behind_what_it_has_done) {
  constexpr std::uint64_t kEntries = 5000, kSplit = 40'000, kEnd = 45'000;
  Numbers index;
  fill(index, kEntries);
  const Bound upper{BoundKind::kExcluded, kEnd};
  std::optional<std::size_t> removed;
  Collects hook;
  Coroutine coroutine;
  {
    WaitingThread writer([&](auto pause) {
      const StopAt at("tree:split:frozen", pause);
      for (std::uint64_t n = 1; n < 100; n += 2) index.insert(kSplit + n, 0);
    });
    ASSERT_TRUE(writer.is_paused());
    const ResumeScope scope(hook);
    coroutine = remove_range(index, unbounded, upper, removed);
    ASSERT_FALSE(coroutine.is_done());
  }
  EXPECT_LT(index.len(), kEntries / 2) << "it removed what it could";
  EXPECT_TRUE(index.insert(std::uint64_t{0}, 1));
  while (!hook.collected.empty()) {
    const ResumeScope scope(hook);
    std::exchange(hook.collected, {})[0].resume();
  }
  ASSERT_TRUE(coroutine.is_done());
  EXPECT_EQ(removed, kEnd / 10 + 50);
  EXPECT_EQ(index.len(), 1 + kEntries - kEnd / 10);
  EXPECT_TRUE(index.contains(std::uint64_t{0}));
  EXPECT_TRUE(size_is_exact(index));
}

#endif

}  // namespace
}  // namespace scree::test

// SPDX-License-Identifier: Apache-2.0
//
// Every allocation, copy, comparison and hash of an operation fails in turn; each time the index holds what it held
// before and the arguments are as they were. This program's operator new can be made to fail.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <scree/hash_index.h>
#include <scree/tree_index.h>

#include "hash_kinds.h"
#include "index_failures.h"
#include "reclaim.h"

namespace scree::test {
namespace {

// What only TreeIndex has: changes by functions and handles, and pops.
template <class Config, class Index>
void fail_every_change(int keys) {
  {
    Index index;
    std::map<int, int> expected;
    const auto next = [&](auto change) { return changed(expected, change); };
    for (int i = 0; i < keys; ++i) {
      const int n = i * 7 % keys;
      const auto key = Config::key(n);
      Fussy value(n);
      const ebr::Barrier barrier;
      // The handle outlives the failures, and shows what it showed.
      if (i % 2 == 0) {
        auto entry = index.entry(key, barrier);
        fail_at_every_step<Config>(index, expected, next([&](auto& map) { map[n] = n; }), [&] {
          EXPECT_EQ(value.value(), n) << "a failure leaves the arguments untouched";
          EXPECT_FALSE(entry.is_occupied());
          EXPECT_TRUE(entry.replace(std::move(value)));
        });
        EXPECT_EQ(entry.value().value(), n);
      } else {
        fail_at_every_step<Config>(index, expected, next([&](auto& map) { map[n] = n; }), [&] {
          EXPECT_EQ(value.value(), n) << "a failure leaves the arguments untouched";
          EXPECT_EQ(index.entry(key, barrier).or_insert(std::move(value)).value(), n);
        });
      }
      const auto add_1000 = [](const Fussy& old) { return Fussy(old.value() + 1000); };
      fail_at_every_step<Config>(index, expected, next([&](auto& map) { map[n] += 1000; }),
                                 [&] { EXPECT_TRUE(index.update(key, add_1000)); });
      fail_at_every_step<Config>(index, expected, next([&](auto& map) { map[n] += 1000; }), [&] {
        EXPECT_EQ(index.entry(key, barrier).and_modify(add_1000).value().value(), n + 2000);
      });
      // Made another by a change in between, so that it has to look again.
      Fussy second(n + 5000);
      auto stale = index.entry(key, barrier);
      index.upsert(key, Fussy(n));
      expected[n] = n;
      fail_at_every_step<Config>(index, expected, expected, [&] {
        EXPECT_EQ(stale.value().value(), n + 2000);
        EXPECT_FALSE(stale.replace(std::move(second)));
      });
      EXPECT_EQ(stale.value().value(), n);
      EXPECT_EQ(second.value(), n + 5000);
      fail_at_every_step<Config>(index, expected, expected, [&] {
        try {
          index.update(key, [](const Fussy&) -> Fussy { throw 5; });
          ADD_FAILURE() << "what a function throws is passed on";
        } catch (int) {
        }
        EXPECT_FALSE(index.update(Config::key(keys), add_1000));
      });
      const int least = expected.begin()->first, greatest = expected.rbegin()->first;
      fail_at_every_step<Config>(index, expected, expected, [&] {
        EXPECT_EQ(Config::number(index.first(barrier)->first), least);
        EXPECT_EQ(Config::number(index.last(barrier)->first), greatest);
        EXPECT_EQ(Config::number(index.floor(key, barrier)->first), n);
        EXPECT_EQ(Config::number(index.lower_bound(key, barrier)->first), n);
        EXPECT_EQ(index.upper_bound(key, barrier).has_value(), n != greatest);
        EXPECT_EQ(index.below(key, barrier).has_value(), n != least);
      });
    }
    fail_at_every_step<Config>(index, expected, expected, [&] {
      const ebr::Barrier barrier;
      int visited = 0;
      for ([[maybe_unused]] auto entry : index.reverse_range(included(Config::key(0)), unbounded, barrier)) ++visited;
      EXPECT_EQ(visited, keys);
      EXPECT_EQ(index.scan(
                    excluded(Config::key(0)), unbounded, [](const auto&, const Fussy&) {}, 7),
                static_cast<std::size_t>(keys - 1));
    });
    for (int i = 0; i < keys; ++i) {
      const ebr::Barrier barrier;
      if (i % 3 == 2) {
        const auto middle = std::next(expected.begin(), static_cast<std::ptrdiff_t>(expected.size() / 2))->first;
        const auto key = Config::key(middle);
        fail_at_every_step<Config>(index, expected, next([&](auto& map) { map.erase(middle); }),
                                   [&] { EXPECT_TRUE(index.entry(key, barrier).remove()); });
        continue;
      }
      const int end = i % 3 == 0 ? expected.begin()->first : expected.rbegin()->first;
      fail_at_every_step<Config>(index, expected, next([&](auto& map) { map.erase(end); }), [&] {
        const auto popped = i % 3 == 0 ? index.pop_first(barrier) : index.pop_last(barrier);
        EXPECT_TRUE(popped.has_value());
        EXPECT_EQ(Config::number(popped->first), end);
      });
    }
    const ebr::Barrier barrier;
    fail_at_every_step<Config>(index, expected, {}, [&] { EXPECT_FALSE(index.pop_first(barrier).has_value()); });
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

TEST(HashIndexException, changes_nothing_with_keys_that_throw) {
  fail_everything<FussyConfig, HashIndex<Fussy, Fussy, HashFussy>>(151);
}
// Every key is compared with others, after the new entry was made.
TEST(HashIndexException, changes_nothing_with_keys_that_throw_and_collide) {
  fail_everything<FussyConfig, HashIndex<Fussy, Fussy, OneHash>>(31);
}
TEST(HashIndexException, changes_nothing_with_byte_strings) {
  fail_everything<StringConfig, HashIndex<std::string, Fussy>>(151);
}
TEST(HashIndexException, changes_nothing_with_integers) {
  fail_everything<IntegerConfig, HashIndex<std::uint64_t, Fussy>>(151);
}
TEST(TreeIndexException, changes_nothing_with_keys_that_throw) {
  fail_everything<FussyConfig, TreeIndex<Fussy, Fussy>>(101);
}
TEST(TreeIndexException, changes_nothing_with_byte_strings) {
  fail_everything<StringConfig, TreeIndex<std::string, Fussy>>(151);
}
TEST(TreeIndexException, changes_nothing_with_integers) {
  fail_everything<IntegerConfig, TreeIndex<std::uint64_t, Fussy>>(151);
}

TEST(TreeIndexException, no_change_happens_by_half_with_keys_that_throw) {
  fail_every_change<FussyConfig, TreeIndex<Fussy, Fussy>>(61);
}
TEST(TreeIndexException, no_change_happens_by_half_with_byte_strings) {
  fail_every_change<StringConfig, TreeIndex<std::string, Fussy>>(151);
}
TEST(TreeIndexException, no_change_happens_by_half_with_integers) {
  fail_every_change<IntegerConfig, TreeIndex<std::uint64_t, Fussy>>(151);
}

constexpr auto kRemoveRange = [](auto& index, const auto& lower, const auto& upper) {
  return index.remove_range(lower, upper);
};
TEST(TreeIndexException, a_removal_of_a_range_leaves_the_others_with_keys_that_throw) {
  fail_removal_of_a_range<FussyConfig>(kRemoveRange);
}
TEST(TreeIndexException, a_removal_of_a_range_leaves_the_others_with_byte_strings) {
  fail_removal_of_a_range<StringConfig>(kRemoveRange);
}
TEST(TreeIndexException, a_removal_of_a_range_leaves_the_others_with_integers) {
  fail_removal_of_a_range<IntegerConfig>(kRemoveRange);
}

TEST(HashIndexException, construction_leaks_nothing) { fail_construction<HashIndex<std::uint64_t, Fussy>>(); }
TEST(TreeIndexException, construction_leaks_nothing) { fail_construction<TreeIndex<std::uint64_t, Fussy>>(); }

}  // namespace
}  // namespace scree::test

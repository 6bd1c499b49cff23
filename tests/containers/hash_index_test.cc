// SPDX-License-Identifier: Apache-2.0
//
// HashIndex by example: what each operation does, what stays valid how long.

#include <scree/hash_index.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "hash_kinds.h"
#include "index_checks.h"
#include "reclaim.h"
#include "support/coroutine.h"

namespace scree::test {
namespace {

// The examples of the document that the project started from.
TEST(HashIndex, example_insert_and_read) {
  HashIndex<std::uint64_t, std::uint32_t> index;
  EXPECT_TRUE(index.insert(1, 0u));
  EXPECT_EQ(index.read(1, [](std::uint64_t, const std::uint32_t& v) { return v; }), 0u);
  EXPECT_TRUE(index.remove_if(1, [](const std::uint32_t&) { return true; }));
  EXPECT_FALSE(index.contains(1));
}

TEST(HashIndex, example_of_coroutines) {
  HashIndex<std::uint64_t, std::uint32_t> index;
  index.insert(1, 0u);
  bool done = false;
  const auto use = [](HashIndex<std::uint64_t, std::uint32_t>& of, bool& ended) -> Coroutine {
    const bool inserted = co_await of.insert_async(2, 1u);
    EXPECT_TRUE(inserted);
    const bool removed = co_await of.remove_if_async(1, [](const std::uint32_t&) { return true; });
    EXPECT_TRUE(removed);
    ended = true;
  };
  const Coroutine coroutine = use(index, done);
  EXPECT_TRUE(coroutine.is_done() && done);
  EXPECT_EQ(index.len(), 1u);
}

TEST(HashIndex, example_entries_outlive_the_index_under_a_barrier) {
  auto index = std::make_unique<HashIndex<std::uint64_t, std::uint32_t>>();
  EXPECT_TRUE(index->insert(1, 0u));
  const ebr::Barrier barrier;
  auto range = index->iter(barrier);
  auto it = range.begin();
  const std::pair<const std::uint64_t&, const std::uint32_t&> entry = *it;
  ++it;
  EXPECT_TRUE(it == range.end());
  index.reset();
  reclaim_all(100);
  EXPECT_EQ(entry.first, 1u);
  EXPECT_EQ(entry.second, 0u);
}

TEST(HashIndex, insert_keeps_the_present_entry) { check_that_insert_keeps_the_present_entry<HashIndex>(); }

TEST(HashIndex, upsert_replaces_the_entry_and_readers_keep_the_old_one) {
  check_that_upsert_replaces_the_entry_and_readers_keep_the_old_one<HashIndex>();
}

TEST(HashIndex, remove_if_asks_about_the_value) {
  HashIndex<std::uint64_t, int> index;
  index.insert(1, 10);
  EXPECT_FALSE(index.remove_if(1, [](const int& v) { return v == 11; }));
  EXPECT_TRUE(index.contains(1));
  EXPECT_TRUE(index.remove_if(1, [](const int& v) { return v == 10; }));
  EXPECT_FALSE(index.remove_if(1, [](const int&) { return true; })) << "it is gone";
  EXPECT_TRUE(index.is_empty());
}

TEST(HashIndex, read_returns_what_its_function_returns) {
  check_that_read_returns_what_its_function_returns<HashIndex>();
}

TEST(HashIndex, find_or_insert_shares_one_cell) { check_that_find_or_insert_shares_one_cell<HashIndex>(); }

TEST(HashIndex, takes_byte_strings_in_any_form_and_shows_views) {
  HashIndex<std::string, int> index;
  const std::string zero("a\0b", 3);
  EXPECT_TRUE(index.insert(std::string_view(zero), 1));
  EXPECT_TRUE(index.insert("a", 2));
  EXPECT_TRUE(index.insert(std::string(), 3));
  EXPECT_TRUE(index.insert(std::string(70'000, 'x'), 4));
  EXPECT_FALSE(index.insert(zero, 5));
  EXPECT_TRUE(index.contains(zero));
  EXPECT_TRUE(index.contains(std::string_view("a")));
  EXPECT_TRUE(index.contains(""));
  EXPECT_TRUE(index.contains(std::string_view())) << "an empty view without data";
  EXPECT_FALSE(index.contains("b"));
  const ebr::Barrier barrier;
  std::set<std::string> seen;
  for (auto [key, value] : index.iter(barrier)) {
    static_assert(std::is_same_v<decltype(key), std::string_view>);
    seen.emplace(key);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"", "a", zero, std::string(70'000, 'x')}));
}

TEST(HashIndex, takes_foreign_keys_where_hash_and_equality_do) {
  HashIndex<Person, int, HashPerson, EqualPerson> index;
  EXPECT_TRUE(index.insert(Person{7, "seven"}, 1));
  EXPECT_TRUE(index.contains(7));
  EXPECT_EQ(index.read(7, [](const Person& p, const int&) { return p.name; }), "seven");
  EXPECT_TRUE(index.remove(7));
}

TEST(HashIndex, takes_values_that_only_move) { check_that_values_may_only_move<HashIndex>(); }

TEST(HashIndex, a_failed_insert_leaves_its_arguments_untouched) {
  check_that_a_failed_insert_leaves_its_arguments_untouched<HashIndex>();
}

TEST(HashIndex, clear_removes_everything_and_readers_keep_what_they_hold) {
  check_that_clear_removes_everything_and_readers_keep_what_they_hold<HashIndex>();
}

TEST(HashIndex, frees_its_entries_with_it) { check_that_an_index_frees_its_entries_with_it<HashIndex>(); }

TEST(HashIndex, may_be_used_by_destructors_of_its_entries) {
  check_that_destructors_of_entries_may_use_the_index<HashIndex>();
}

// The bits that distinguish these keys are few and in awkward places; a bucket taken from unmixed bits would hold them
// all.
TEST(HashIndex, spreads_keys_that_an_identity_hash_would_not) {
  for (const unsigned shift : {0u, 20u, 44u}) {
    constexpr std::uint64_t kKeys = 4096;
    std::set<std::uint64_t> buckets;
    for (std::uint64_t n = 0; n < kKeys; ++n) {
      buckets.insert(detail::mix_hash(Hash<std::uint64_t>()(n << shift)) >> (64 - 12));
    }
    EXPECT_GT(buckets.size(), kKeys / 2) << "a random hash fills 63 % of as many buckets";
  }
}

}  // namespace
}  // namespace scree::test

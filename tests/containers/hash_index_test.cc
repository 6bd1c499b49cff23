// SPDX-License-Identifier: Apache-2.0
//
// HashIndex by example: what each operation does, what stays valid how long.

#include <scree/hash_index.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "reclaim.h"

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

TEST(HashIndex, insert_keeps_the_present_entry) {
  HashIndex<std::uint64_t, int> index;
  EXPECT_TRUE(index.insert(1, 10));
  EXPECT_FALSE(index.insert(1, 20));
  EXPECT_EQ(index.read(1, [](auto, const int& v) { return v; }), 10);
  EXPECT_EQ(index.len(), 1u);
}

TEST(HashIndex, upsert_replaces_the_entry_and_readers_keep_the_old_one) {
  HashIndex<std::string, std::string> index;
  EXPECT_FALSE(index.upsert("k", "old"));
  const ebr::Barrier barrier;
  const std::string* old = index.peek("k", barrier);
  EXPECT_TRUE(index.upsert("k", "new"));
  reclaim_all(100);
  EXPECT_EQ(*old, "old");
  EXPECT_EQ(*index.peek("k", barrier), "new");
  EXPECT_EQ(index.len(), 1u);
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
  HashIndex<std::uint64_t, std::string> index;
  index.insert(1, "abc");
  EXPECT_EQ(index.read(1, [](std::uint64_t k, const std::string& v) { return v.size() + k; }), 4u);
  EXPECT_EQ(index.read(2, [](std::uint64_t, const std::string& v) { return v.size(); }), std::nullopt);
  int calls = 0;
  EXPECT_TRUE(index.read(1, [&](std::uint64_t, const std::string&) { ++calls; }));
  EXPECT_FALSE(index.read(2, [&](std::uint64_t, const std::string&) { ++calls; }));
  EXPECT_EQ(calls, 1);
}

TEST(HashIndex, find_or_insert_shares_one_cell) {
  HashIndex<std::string, Atomic<int>> index;
  const ebr::Barrier barrier;
  const auto [first, inserted] = index.find_or_insert("k", barrier, 5);
  EXPECT_TRUE(inserted);
  EXPECT_EQ(first, 5);
  const auto [second, again] = index.find_or_insert("k", barrier, 6);
  EXPECT_FALSE(again);
  EXPECT_EQ(&first, &second);
  ++second;
  EXPECT_EQ(index.read("k", [](std::string_view, const Atomic<int>& v) { return v.load(); }), 6);
}

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

// A key that is looked up by something else of the user's.
struct Person {
  int id;
  std::string name;
};
struct HashPerson {
  using is_transparent = void;
  std::size_t operator()(const Person& p) const { return static_cast<std::size_t>(p.id); }
  std::size_t operator()(int id) const { return static_cast<std::size_t>(id); }
};
struct EqualPerson {
  using is_transparent = void;
  bool operator()(const Person& a, const Person& b) const { return a.id == b.id; }
  bool operator()(const Person& a, int id) const { return a.id == id; }
};

TEST(HashIndex, takes_foreign_keys_where_hash_and_equality_do) {
  HashIndex<Person, int, HashPerson, EqualPerson> index;
  EXPECT_TRUE(index.insert(Person{7, "seven"}, 1));
  EXPECT_TRUE(index.contains(7));
  EXPECT_EQ(index.read(7, [](const Person& p, const int&) { return p.name; }), "seven");
  EXPECT_TRUE(index.remove(7));
}

TEST(HashIndex, takes_values_that_only_move) {
  HashIndex<std::uint64_t, std::unique_ptr<int>> index;
  EXPECT_TRUE(index.insert(1, std::make_unique<int>(5)));
  EXPECT_TRUE(index.upsert(1, std::make_unique<int>(6)));
  EXPECT_EQ(index.read(1, [](auto, const std::unique_ptr<int>& v) { return *v; }), 6);
}

TEST(HashIndex, a_failed_insert_leaves_its_arguments_untouched) {
  HashIndex<std::string, std::unique_ptr<int>> index;
  index.insert("k", std::make_unique<int>(1));
  std::string key = "k";
  auto value = std::make_unique<int>(2);
  EXPECT_FALSE(index.insert(std::move(key), std::move(value)));
  EXPECT_EQ(key, "k");
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, 2);
}

TEST(HashIndex, clear_removes_everything_and_readers_keep_what_they_hold) {
  Atomic<int> alive{0};
  {
    HashIndex<std::uint64_t, Counted> index;
    for (std::uint64_t n = 0; n < 1000; ++n) index.insert(n, Counted(alive, static_cast<int>(n)));
    {
      const ebr::Barrier barrier;
      const Counted* held = index.peek(500, barrier);
      index.clear();
      EXPECT_EQ(index.len(), 0u);
      EXPECT_FALSE(index.contains(500));
      EXPECT_TRUE(index.insert(500, Counted(alive, 1)));
      reclaim_all(100);
      EXPECT_EQ(held->value(), 500);
    }
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(alive, 1);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

TEST(HashIndex, frees_its_entries_with_it) {
  Atomic<int> alive{0};
  {
    HashIndex<std::string, Counted> index;
    for (int n = 0; n < 1000; ++n) index.insert(std::to_string(n), Counted(alive, n));
    for (int n = 0; n < 1000; n += 2) index.upsert(std::to_string(n), Counted(alive, n));
    for (int n = 0; n < 1000; n += 3) index.remove(std::to_string(n));
    EXPECT_TRUE(reclaim_all());
    EXPECT_EQ(static_cast<std::size_t>(alive.load()), index.len());
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

// Entries whose destructors use the index that they were in, also while it retires others.
TEST(HashIndex, may_be_used_by_destructors_of_its_entries) {
  struct Chain {
    HashIndex<std::uint64_t, Chain>* index;
    std::uint64_t next;
    Chain(HashIndex<std::uint64_t, Chain>* i, std::uint64_t n) : index(i), next(n) {}
    Chain(Chain&& other) noexcept : index(std::exchange(other.index, nullptr)), next(other.next) {}
    ~Chain() {
      if (index != nullptr) index->remove(next);
    }
  };
  constexpr std::uint64_t kPairs = 2000;
  HashIndex<std::uint64_t, Chain> index;
  for (std::uint64_t n = 0; n < kPairs; ++n) {
    index.insert(n, Chain(&index, n + kPairs));
    index.insert(n + kPairs, Chain(nullptr, 0));
  }
  for (std::uint64_t n = 0; n < kPairs; ++n) EXPECT_TRUE(index.remove(n));
  EXPECT_TRUE(reclaim_all());
  EXPECT_TRUE(index.is_empty());
}

// The bits that distinguish these keys are few and in awkward places; a bucket taken from unmixed bits would hold them all.
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

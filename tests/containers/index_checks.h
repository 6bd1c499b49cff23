// SPDX-License-Identifier: Apache-2.0
//
// What holds for both indexes, by example: each check is the body of a test of HashIndex and of one of TreeIndex.

#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "reclaim.h"

namespace scree::test {

template <template <class...> class Index>
void check_that_insert_keeps_the_present_entry() {
  Index<std::uint64_t, int> index;
  EXPECT_TRUE(index.insert(1, 10));
  EXPECT_FALSE(index.insert(1, 20));
  EXPECT_EQ(index.read(1, [](auto, const int& v) { return v; }), 10);
  EXPECT_EQ(index.len(), 1u);
}

// The entry is replaced more often than a node of an index has slots: the node itself is replaced too.
template <template <class...> class Index, class V>
void check_that_upsert_leaves_readers_the_old_entry(const V& old_value, const V& new_value) {
  Index<std::string, V> by_string;
  Index<std::uint64_t, V> by_integer;
  EXPECT_FALSE(by_string.upsert("k", old_value));
  EXPECT_FALSE(by_integer.upsert(1, old_value));
  const ebr::Barrier barrier;
  const V* first = by_string.peek("k", barrier);
  const V* second = by_integer.peek(1, barrier);
  for (int n = 0; n < 40; ++n) {
    EXPECT_TRUE(by_string.upsert("k", new_value));
    EXPECT_TRUE(by_integer.upsert(1, new_value));
  }
  reclaim_all(100);
  EXPECT_EQ(*first, old_value);
  EXPECT_EQ(*second, old_value);
  EXPECT_EQ(*by_string.peek("k", barrier), new_value);
  EXPECT_EQ(*by_integer.peek(1, barrier), new_value);
  EXPECT_EQ(by_string.len(), 1u);
}

template <template <class...> class Index>
void check_that_upsert_replaces_the_entry_and_readers_keep_the_old_one() {
  check_that_upsert_leaves_readers_the_old_entry<Index, std::uint64_t>(1, 2);
  check_that_upsert_leaves_readers_the_old_entry<Index, std::string>("old", "new");
}

template <template <class...> class Index>
void check_that_read_returns_what_its_function_returns() {
  Index<std::uint64_t, std::string> index;
  index.insert(1, "abc");
  EXPECT_EQ(index.read(1, [](std::uint64_t k, const std::string& v) { return v.size() + k; }), 4u);
  EXPECT_EQ(index.read(2, [](std::uint64_t, const std::string& v) { return v.size(); }), std::nullopt);
  int calls = 0;
  EXPECT_TRUE(index.read(1, [&](std::uint64_t, const std::string&) { ++calls; }));
  EXPECT_FALSE(index.read(2, [&](std::uint64_t, const std::string&) { ++calls; }));
  EXPECT_EQ(calls, 1);
}

template <template <class...> class Index>
void check_that_find_or_insert_shares_one_cell() {
  Index<std::string, Atomic<int>> index;
  const ebr::Barrier barrier;
  const auto [first, inserted] = index.find_or_insert("k", barrier, 5);
  EXPECT_TRUE(inserted);
  EXPECT_EQ(first, 5);
  // The index grows around it and its neighbours are removed: it stays where it is.
  for (int n = 0; n < 200; ++n) index.find_or_insert(std::to_string(n), barrier, n);
  for (int n = 0; n < 200; ++n) index.remove(std::to_string(n));
  const auto [second, again] = index.find_or_insert("k", barrier, 6);
  EXPECT_FALSE(again);
  EXPECT_EQ(&first, &second);
  ++second;
  EXPECT_EQ(index.read("k", [](std::string_view, const Atomic<int>& v) { return v.load(); }), 6);
}

template <template <class...> class Index>
void check_that_values_may_only_move() {
  Index<std::uint64_t, std::unique_ptr<int>> index;
  EXPECT_TRUE(index.insert(1, std::make_unique<int>(5)));
  EXPECT_TRUE(index.upsert(1, std::make_unique<int>(6)));
  EXPECT_EQ(index.read(1, [](auto, const std::unique_ptr<int>& v) { return *v; }), 6);
}

template <template <class...> class Index>
void check_that_a_failed_insert_leaves_its_arguments_untouched() {
  Index<std::string, std::unique_ptr<int>> index;
  index.insert("k", std::make_unique<int>(1));
  std::string key = "k";
  auto value = std::make_unique<int>(2);
  EXPECT_FALSE(index.insert(std::move(key), std::move(value)));
  EXPECT_EQ(key, "k");
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(*value, 2);
}

template <template <class...> class Index>
void check_that_clear_removes_everything_and_readers_keep_what_they_hold() {
  Atomic<int> alive{0};
  {
    Index<std::uint64_t, Counted> index;
    for (std::uint64_t n = 0; n < 1000; ++n) index.insert(n, Counted(alive, static_cast<int>(n)));
    {
      const ebr::Barrier barrier;
      const Counted* held = index.peek(500, barrier);
      index.clear();
      EXPECT_EQ(index.len(), 0u);
      EXPECT_TRUE(index.is_empty());
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

template <template <class...> class Index>
void check_that_an_index_frees_its_entries_with_it() {
  Atomic<int> alive{0};
  {
    Index<std::string, Counted> index;
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
template <template <class...> class Index>
void check_that_destructors_of_entries_may_use_the_index() {
  struct Chain {
    Index<std::uint64_t, Chain>* index;
    std::uint64_t next;
    Chain(Index<std::uint64_t, Chain>* i, std::uint64_t n) : index(i), next(n) {}
    Chain(Chain&& other) noexcept : index(std::exchange(other.index, nullptr)), next(other.next) {}
    ~Chain() {
      if (index != nullptr) index->remove(next);
    }
  };
  constexpr std::uint64_t kPairs = 2000;
  Index<std::uint64_t, Chain> index;
  for (std::uint64_t n = 0; n < kPairs; ++n) {
    index.insert(n, Chain(&index, n + kPairs));
    index.insert(n + kPairs, Chain(nullptr, 0));
  }
  for (std::uint64_t n = 0; n < kPairs; ++n) EXPECT_TRUE(index.remove(n));
  EXPECT_TRUE(reclaim_all());
  EXPECT_TRUE(index.is_empty());
}

}  // namespace scree::test

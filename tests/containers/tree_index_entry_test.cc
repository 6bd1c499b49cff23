// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex by example, for every kind of key and value: changes that depend on what is there, and what can be kept of
// what was read.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <scree/tree_index.h>

#include "index_configs.h"
#include "reclaim.h"

namespace scree::test {
namespace {

template <class Config>
class TreeIndexEntry : public testing::Test {
 protected:
  // More than leaves' slots, so that some lie in bases.
  static constexpr std::uint64_t kKeys = 100;
  void fill() {
    for (std::uint64_t n = 0; n < kKeys; ++n) index_.insert(Config::key(n), Config::value(n));
  }
  auto value_of(std::uint64_t n) const {
    return index_.read(Config::key(n), [](const auto&, const auto& value) { return value; });
  }

  TreeIndex<typename Config::Key, typename Config::Value> index_;
};
using Kinds = testing::Types<Integers, IntegersToStrings, Strings, Vectors>;
TYPED_TEST_SUITE(TreeIndexEntry, Kinds);

TYPED_TEST(TreeIndexEntry, update_replaces_the_value_by_what_its_function_makes_of_it) {
  using Value = typename TypeParam::Value;
  this->fill();
  const ebr::Barrier barrier;
  for (std::uint64_t n = 0; n < this->kKeys; ++n) {
    const Value* const old = this->index_.peek(TypeParam::key(n), barrier);
    int asked = 0;
    EXPECT_TRUE(this->index_.update(TypeParam::key(n), [&](const Value& value) {
      ++asked;
      EXPECT_EQ(value, TypeParam::value(n));
      return TypeParam::value(n + 1000);
    }));
    EXPECT_EQ(asked, 1) << "nobody interfered";
    EXPECT_EQ(this->value_of(n), TypeParam::value(n + 1000));
    EXPECT_EQ(*old, TypeParam::value(n)) << "readers keep the old one";
  }
  EXPECT_EQ(this->index_.len(), this->kKeys);
}

TYPED_TEST(TreeIndexEntry, update_does_not_ask_its_function_where_there_is_no_entry) {
  using Value = typename TypeParam::Value;
  this->fill();
  this->index_.remove(TypeParam::key(7));
  for (const std::uint64_t n : {std::uint64_t{7}, this->kKeys}) {
    EXPECT_FALSE(this->index_.update(TypeParam::key(n), [](const Value& value) {
      ADD_FAILURE();
      return value;
    }));
    EXPECT_FALSE(this->index_.contains(TypeParam::key(n)));
  }
}

// The function of an update is asked again about what is there by then.
TYPED_TEST(TreeIndexEntry, update_asks_again_where_the_entry_changed_meanwhile) {
  using Value = typename TypeParam::Value;
  this->fill();
  std::vector<Value> asked;
  EXPECT_TRUE(this->index_.update(TypeParam::key(5), [&](const Value& value) {
    asked.push_back(value);
    if (asked.size() == 1) this->index_.upsert(TypeParam::key(5), TypeParam::value(500));
    return TypeParam::value(1000 * asked.size());
  }));
  EXPECT_EQ(asked, (std::vector<Value>{TypeParam::value(5), TypeParam::value(500)}));
  EXPECT_EQ(this->value_of(5), TypeParam::value(2000));
  // Also where its leaf is copied and split under it, and when the entry goes.
  asked.clear();
  EXPECT_FALSE(this->index_.update(TypeParam::key(6), [&](const Value& value) {
    asked.push_back(value);
    for (std::uint64_t n = 1000; n < 1100; ++n) this->index_.insert(TypeParam::key(n), TypeParam::value(n));
    for (int n = 0; n < 100; ++n) this->index_.upsert(TypeParam::key(4), TypeParam::value(4));
    this->index_.remove(TypeParam::key(6));
    return value;
  }));
  EXPECT_EQ(asked, (std::vector<Value>{TypeParam::value(6)}));
  EXPECT_EQ(this->value_of(6), std::nullopt);
}

// Nor is it asked again where only the leaf was copied, or split.
TYPED_TEST(TreeIndexEntry, update_asks_once_where_others_change_beside_it) {
  using Value = typename TypeParam::Value;
  this->fill();
  int asked = 0;
  EXPECT_TRUE(this->index_.update(TypeParam::key(50), [&](const Value& value) {
    ++asked;
    for (std::uint64_t n = 0; n < this->kKeys; ++n) {
      if (n != 50) this->index_.upsert(TypeParam::key(n), TypeParam::value(n + 1));
    }
    for (std::uint64_t n = 0; n < this->kKeys; ++n) {
      if (n != 50) this->index_.remove(TypeParam::key(n));
    }
    EXPECT_EQ(value, TypeParam::value(50));
    return TypeParam::value(51);
  }));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(this->value_of(50), TypeParam::value(51));
  EXPECT_EQ(this->index_.len(), 1u);
}

TYPED_TEST(TreeIndexEntry, shows_what_is_there) {
  this->fill();
  const ebr::Barrier barrier;
  const auto present = this->index_.entry(TypeParam::key(3), barrier);
  ASSERT_TRUE(present.is_occupied());
  EXPECT_EQ(present.key(), TypeParam::key(3));
  EXPECT_EQ(present.value(), TypeParam::value(3));
  EXPECT_FALSE(this->index_.entry(TypeParam::key(this->kKeys), barrier).is_occupied());
}

TYPED_TEST(TreeIndexEntry, or_insert_gives_the_present_value_or_the_inserted_one) {
  this->fill();
  const ebr::Barrier barrier;
  EXPECT_EQ(this->index_.entry(TypeParam::key(3), barrier).or_insert(TypeParam::value(9)), TypeParam::value(3));
  EXPECT_EQ(this->value_of(3), TypeParam::value(3));
  auto vacant = this->index_.entry(TypeParam::key(200), barrier);
  EXPECT_EQ(vacant.or_insert(TypeParam::value(9)), TypeParam::value(9));
  EXPECT_TRUE(vacant.is_occupied());
  EXPECT_EQ(vacant.key(), TypeParam::key(200));
  EXPECT_EQ(this->value_of(200), TypeParam::value(9));
  // Another one came first.
  auto late = this->index_.entry(TypeParam::key(201), barrier);
  this->index_.insert(TypeParam::key(201), TypeParam::value(1));
  EXPECT_FALSE(late.is_occupied()) << "it shows what it saw";
  EXPECT_EQ(late.or_insert(TypeParam::value(2)), TypeParam::value(1));
  EXPECT_EQ(this->value_of(201), TypeParam::value(1));
}

TYPED_TEST(TreeIndexEntry, replaces_only_what_it_shows) {
  this->fill();
  const ebr::Barrier barrier;
  for (std::uint64_t n = 0; n < this->kKeys; ++n) {
    auto entry = this->index_.entry(TypeParam::key(n), barrier);
    EXPECT_TRUE(entry.replace(TypeParam::value(n + 100)));
    EXPECT_EQ(entry.value(), TypeParam::value(n + 100));
    EXPECT_TRUE(entry.replace(TypeParam::value(n + 200))) << "it shows what it put there";
    EXPECT_EQ(this->value_of(n), TypeParam::value(n + 200));
    this->index_.upsert(TypeParam::key(n), TypeParam::value(n + 300));
    EXPECT_FALSE(entry.replace(TypeParam::value(n + 400)));
    EXPECT_EQ(entry.value(), TypeParam::value(n + 300)) << "it shows what is there now";
    EXPECT_EQ(this->value_of(n), TypeParam::value(n + 300));
    EXPECT_TRUE(entry.replace(TypeParam::value(n + 400)));
    EXPECT_EQ(this->value_of(n), TypeParam::value(n + 400));
    this->index_.remove(TypeParam::key(n));
    EXPECT_FALSE(entry.replace(TypeParam::value(n + 500)));
    EXPECT_FALSE(entry.is_occupied());
    EXPECT_EQ(this->value_of(n), std::nullopt);
    EXPECT_TRUE(entry.replace(TypeParam::value(n))) << "there is still none";
    EXPECT_EQ(this->value_of(n), TypeParam::value(n));
  }
  auto vacant = this->index_.entry(TypeParam::key(200), barrier);
  this->index_.insert(TypeParam::key(200), TypeParam::value(1));
  EXPECT_FALSE(vacant.replace(TypeParam::value(2)));
  EXPECT_EQ(vacant.value(), TypeParam::value(1));
  EXPECT_EQ(this->value_of(200), TypeParam::value(1));
}

TYPED_TEST(TreeIndexEntry, removes_only_what_it_shows) {
  this->fill();
  const ebr::Barrier barrier;
  for (std::uint64_t n = 0; n < this->kKeys; ++n) {
    auto entry = this->index_.entry(TypeParam::key(n), barrier);
    this->index_.upsert(TypeParam::key(n), TypeParam::value(n + 300));
    EXPECT_FALSE(entry.remove());
    EXPECT_EQ(this->value_of(n), TypeParam::value(n + 300));
    EXPECT_TRUE(entry.remove());
    EXPECT_FALSE(entry.is_occupied());
    EXPECT_EQ(this->value_of(n), std::nullopt);
    EXPECT_FALSE(entry.remove()) << "there is none";
    EXPECT_EQ(entry.or_insert(TypeParam::value(n)), TypeParam::value(n));
    EXPECT_TRUE(entry.remove());
  }
  EXPECT_TRUE(this->index_.is_empty());
}

// The handle goes on from where it was: in a tree that was cleared nothing must be put.
TYPED_TEST(TreeIndexEntry, of_a_cleared_index_shows_what_is_there_now) {
  this->fill();
  const ebr::Barrier barrier;
  auto occupied = this->index_.entry(TypeParam::key(3), barrier);
  auto vacant = this->index_.entry(TypeParam::key(200), barrier);
  auto third = this->index_.entry(TypeParam::key(201), barrier);
  this->index_.clear();
  EXPECT_FALSE(occupied.replace(TypeParam::value(9)));
  EXPECT_FALSE(occupied.is_occupied());
  EXPECT_TRUE(vacant.replace(TypeParam::value(9)));
  EXPECT_EQ(this->value_of(200), TypeParam::value(9));
  third.or_insert(TypeParam::value(10));
  EXPECT_EQ(this->value_of(201), TypeParam::value(10));
  EXPECT_EQ(this->index_.len(), 2u);
}

// Between the look and the change the leaf is copied, split, merged and unlinked.
TYPED_TEST(TreeIndexEntry, is_unchanged_by_what_happens_around_it) {
  const ebr::Barrier barrier;
  for (const bool present : {true, false}) {
    this->fill();
    if (!present) this->index_.remove(TypeParam::key(50));
    auto replaced = this->index_.entry(TypeParam::key(50), barrier);
    for (std::uint64_t n = 0; n < this->kKeys; ++n) {
      if (n != 50) this->index_.upsert(TypeParam::key(n), TypeParam::value(n + 1));
    }
    for (std::uint64_t n = 100; n < 1000; ++n) this->index_.insert(TypeParam::key(n), TypeParam::value(n));
    for (std::uint64_t n = 0; n < 1000; ++n) {
      if (n != 50) this->index_.remove(TypeParam::key(n));
    }
    EXPECT_EQ(replaced.is_occupied(), present);
    EXPECT_TRUE(replaced.replace(TypeParam::value(9)));
    EXPECT_EQ(this->value_of(50), TypeParam::value(9));
    EXPECT_EQ(this->index_.len(), 1u);
    EXPECT_TRUE(replaced.remove());
  }
}

TYPED_TEST(TreeIndexEntry, and_modify_changes_what_is_there_and_nothing_else) {
  using Value = typename TypeParam::Value;
  this->fill();
  const ebr::Barrier barrier;
  auto entry = this->index_.entry(TypeParam::key(3), barrier);
  std::vector<Value> asked;
  const auto modify = [&](const Value& value) {
    asked.push_back(value);
    if (asked.size() == 1) this->index_.upsert(TypeParam::key(3), TypeParam::value(30));
    return TypeParam::value(1000 * asked.size());
  };
  EXPECT_EQ(entry.and_modify(modify).or_insert(TypeParam::value(9)), TypeParam::value(2000));
  EXPECT_EQ(asked, (std::vector<Value>{TypeParam::value(3), TypeParam::value(30)}));
  EXPECT_EQ(this->value_of(3), TypeParam::value(2000));
  EXPECT_EQ(this->index_.entry(TypeParam::key(200), barrier).and_modify(modify).or_insert(TypeParam::value(9)),
            TypeParam::value(9));
  EXPECT_EQ(asked.size(), 2u);
}

TYPED_TEST(TreeIndexEntry, what_was_read_under_a_barrier_stays) {
  using Key = typename TypeParam::Key;
  using Value = typename TypeParam::Value;
  this->fill();
  {
    const ebr::Barrier barrier;
    const auto peeked = this->index_.peek_entry(TypeParam::key(3), barrier);
    const auto read =
        this->index_.read_with(TypeParam::key(4), barrier, [](const auto&, const Value& v) { return &v; });
    auto entry = this->index_.entry(TypeParam::key(5), barrier);
    ASSERT_TRUE(entry.is_occupied());
    const decltype(entry.key()) key = entry.key();
    const Value& value = entry.value();
    ASSERT_TRUE(peeked.has_value());
    ASSERT_TRUE(read.has_value());
    EXPECT_TRUE(entry.remove());
    for (std::uint64_t n = 0; n < this->kKeys; ++n) this->index_.remove(TypeParam::key(n));
    reclaim_all(100);
    EXPECT_EQ(Key(peeked->first), TypeParam::key(3));
    EXPECT_EQ(peeked->second, TypeParam::value(3));
    EXPECT_EQ(**read, TypeParam::value(4));
    EXPECT_EQ(Key(key), TypeParam::key(5));
    EXPECT_EQ(value, TypeParam::value(5));
    EXPECT_EQ(this->index_.peek_entry(TypeParam::key(3), barrier), std::nullopt);
    int calls = 0;
    EXPECT_FALSE(this->index_.read_with(TypeParam::key(3), barrier, [&](const auto&, const Value&) { ++calls; }));
    EXPECT_EQ(calls, 0);
  }
  EXPECT_TRUE(reclaim_all());
}

TEST(TreeIndexEntryOf, values_that_only_move_takes_them_when_it_changes_something) {
  TreeIndex<std::string, std::unique_ptr<int>> index;
  const ebr::Barrier barrier;
  auto value = std::make_unique<int>(1);
  auto entry = index.entry("k", barrier);
  EXPECT_EQ(*entry.or_insert(std::move(value)), 1);
  EXPECT_EQ(value, nullptr);
  EXPECT_TRUE(index.update("k", [](const std::unique_ptr<int>& v) { return std::make_unique<int>(*v + 1); }));
  value = std::make_unique<int>(5);
  EXPECT_FALSE(entry.replace(std::move(value)));
  ASSERT_NE(value, nullptr) << "it was not put there";
  EXPECT_EQ(*entry.value(), 2);
  EXPECT_EQ(*entry.or_insert(std::move(value)), 2);
  ASSERT_NE(value, nullptr) << "it was not put there";
  auto late = index.entry(std::string("l"), barrier);
  index.insert("l", std::make_unique<int>(7));
  EXPECT_EQ(*late.or_insert(std::move(value)), 7);
  ASSERT_NE(value, nullptr) << "it was not put there";
  EXPECT_TRUE(entry.replace(std::move(value)));
  EXPECT_EQ(value, nullptr);
  EXPECT_EQ(*entry.and_modify([](const auto& v) { return std::make_unique<int>(*v * 2); }).value(), 10);
  EXPECT_TRUE(entry.remove());
}

TEST(TreeIndexEntryOf, an_entry_out_of_line_is_another_one_when_it_was_replaced_by_an_equal_one) {
  TreeIndex<std::uint64_t, std::string> index;
  index.insert(1, "v");
  const ebr::Barrier barrier;
  auto entry = index.entry(1, barrier);
  index.upsert(1, "v");
  EXPECT_FALSE(entry.replace("w"));
  EXPECT_TRUE(entry.replace("w"));
}

TEST(TreeIndexEntryOf, a_set_has_no_values_to_differ_in) {
  struct Nothing {};
  TreeIndex<std::uint64_t, Nothing> set;
  const ebr::Barrier barrier;
  for (std::uint64_t n = 0; n < 100; ++n) EXPECT_TRUE(set.entry(n, barrier).replace(Nothing()));
  auto entry = set.entry(50, barrier);
  for (std::uint64_t n = 0; n < 100; ++n) set.upsert(n, Nothing());
  EXPECT_TRUE(entry.remove());
  EXPECT_EQ(set.len(), 99u);
}

// Keys of other types go where they belong when they are converted.
TEST(TreeIndexEntryOf, another_key_type_is_of_the_key_that_it_converts_to) {
  TreeIndex<std::uint32_t, int> index;
  const ebr::Barrier barrier;
  EXPECT_EQ(index.entry(std::uint64_t{0x100000005}, barrier).or_insert(1), 1);
  EXPECT_TRUE(index.contains(5));
  TreeIndex<std::string, int> words;
  const std::string_view word = "a word that is longer than its head";
  EXPECT_EQ(words.entry(word, barrier).or_insert(2), 2);
  EXPECT_TRUE(words.entry("a word that is longer than its head", barrier).remove());
}

TEST(TreeIndexEntryOf, what_is_not_published_leaks_nothing) {
  Atomic<int> alive{0};
  {
    TreeIndex<std::uint64_t, Counted> index;
    index.insert(1, Counted(alive, 1));
    const ebr::Barrier barrier;
    auto entry = index.entry(1, barrier);
    index.upsert(1, Counted(alive, 2));
    EXPECT_FALSE(entry.replace(Counted(alive, 3)));
    int asked = 0;
    EXPECT_TRUE(index.update(1, [&](const Counted&) {
      if (++asked < 5) index.upsert(1, Counted(alive, 10 + asked));
      return Counted(alive, 20 + asked);
    }));
    EXPECT_EQ(asked, 5);
    EXPECT_THROW(index.update(1, [](const Counted& v) -> Counted { throw v.value(); }), int);
    EXPECT_THROW(entry.and_modify([](const Counted& v) -> Counted { throw v.value(); }), int);
    EXPECT_EQ(index.peek(1, barrier)->value(), 25);
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace scree::test

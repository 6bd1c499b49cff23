// SPDX-License-Identifier: Apache-2.0
//
// Every allocation, copy, comparison and hash of an operation fails in turn; each time the index holds what it held
// before and the arguments are as they were. This program's operator new can be made to fail.

#include <gtest/gtest.h>

#include <algorithm>
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

#include "reclaim.h"
#include "support/failing_new.h"
#include "support/tree_walk.h"

namespace scree::test {
namespace {

struct Failure {};

// Everything about it may throw but moving it; counts its instances.
class Fussy {
 public:
  explicit Fussy(int n = 0) : n_(n) { ++alive; }
  Fussy(const Fussy& other) : n_(other.value()) {
    if (FailurePoint::strikes()) throw Failure();
    ++alive;
  }
  Fussy(Fussy&& other) noexcept : n_(std::exchange(other.n_, kMovedFrom)) { ++alive; }
  Fussy& operator=(const Fussy& other) {
    if (FailurePoint::strikes()) throw Failure();
    n_ = other.value();
    return *this;
  }
  Fussy& operator=(Fussy&& other) noexcept {
    n_ = std::exchange(other.n_, kMovedFrom);
    return *this;
  }
  ~Fussy() {
    n_ = kDestroyed;
    --alive;
  }

  int value() const {
    EXPECT_NE(n_, kDestroyed);
    return n_;
  }
  friend bool operator==(const Fussy& a, const Fussy& b) {
    if (FailurePoint::strikes()) throw Failure();
    return a.value() == b.value();
  }
  friend bool operator<(const Fussy& a, const Fussy& b) {
    if (FailurePoint::strikes()) throw Failure();
    return a.value() < b.value();
  }

  static inline Atomic<int> alive{0};
  static constexpr int kMovedFrom = -1, kDestroyed = -2;

 private:
  int n_;
};
struct HashFussy {
  std::size_t operator()(const Fussy& f) const {
    if (FailurePoint::strikes()) throw Failure();
    return static_cast<std::size_t>(f.value());
  }
};

struct FussyConfig {
  using Key = Fussy;
  static Fussy key(int n) { return Fussy(n); }
  static int number(const Fussy& key) { return key.value(); }
};
struct StringConfig {
  using Key = std::string;
  static std::string key(int n) { return "a key longer than any small string: " + std::to_string(1000 + n); }
  static int number(std::string_view key) { return std::stoi(std::string(key.substr(key.size() - 4))) - 1000; }
};
struct IntegerConfig {
  using Key = std::uint64_t;
  static std::uint64_t key(int n) { return static_cast<std::uint64_t>(n); }
  static int number(std::uint64_t key) { return static_cast<int>(key); }
};

template <class Config, class Index>
std::map<int, int> contents(const Index& index) {
  const ebr::Barrier barrier;
  std::map<int, int> entries;
  for (auto [key, value] : index.iter(barrier)) {
    EXPECT_TRUE(entries.emplace(Config::number(key), value.value()).second) << "one key twice";
  }
  EXPECT_EQ(index.len(), entries.size());
  if constexpr (requires { index.memory_usage(); }) {
    EXPECT_TRUE(size_is_exact(index));
  }
  return entries;
}

// Runs `operation(index)` with its first fallible step failing, then its second, and so on until it has no more of
// them. It returns normally only if it did all its work; `expected` is what the index holds then.
template <class Config, class Index, class Operation>
void fail_at_every_step(Index& index, std::map<int, int>& expected, const std::map<int, int>& afterwards,
                        Operation&& operation) {
  for (std::size_t step = 1;; ++step) {
    bool done = false;
    FailurePoint::failed = false;
    FailurePoint::left = step;
    try {
      operation();
      done = true;
    } catch (const std::bad_alloc&) {
    } catch (const Failure&) {
    }
    FailurePoint::left = 0;
    const auto now = contents<Config>(index);
    if (done) {
      ASSERT_EQ(now, afterwards) << "step " << step;
      expected = afterwards;
      return;
    }
    ASSERT_TRUE(FailurePoint::failed);
    ASSERT_EQ(now, expected) << "step " << step;
    ASSERT_LT(step, 10'000u);
  }
}

template <class Change>
std::map<int, int> changed(std::map<int, int> map, Change change) {
  change(map);
  return map;
}

// Builds an index up and takes it down again, so that every kind of structural change comes by. `keys`: a prime.
template <class Config, class Index>
void fail_everything(int keys) {
  {
    Index index;
    std::map<int, int> expected;
    const auto next = [&](auto change) { return changed(expected, change); };
    for (int i = 0; i < keys; ++i) {
      const int n = i * 7 % keys;
      // Copied in, moved in, replaced: in turn.
      auto key = Config::key(n);
      Fussy value(n);
      const auto with_n = next([&](auto& map) { map[n] = n; });
      if (i % 3 == 0) {
        fail_at_every_step<Config>(index, expected, with_n, [&] { EXPECT_TRUE(index.insert(key, value)); });
        EXPECT_EQ(value.value(), n);
      } else if (i % 3 == 1) {
        fail_at_every_step<Config>(index, expected, with_n, [&] {
          EXPECT_EQ(value.value(), n) << "a failure leaves the arguments untouched";
          EXPECT_EQ(Config::number(key), n);
          EXPECT_TRUE(index.insert(std::move(key), std::move(value)));
        });
      } else {
        fail_at_every_step<Config>(index, expected, with_n, [&] {
          EXPECT_EQ(value.value(), n) << "a failure leaves the arguments untouched";
          EXPECT_FALSE(index.upsert(key, std::move(value)));
        });
      }
      Fussy second(n + 1000);
      fail_at_every_step<Config>(index, expected, expected,
                                 [&] { EXPECT_FALSE(index.insert(Config::key(n), std::move(second))); });
      EXPECT_EQ(second.value(), n + 1000);
      if (i % 5 == 0) {
        const auto replaced = next([&](auto& map) { map[n] = n + 1000; });
        fail_at_every_step<Config>(index, expected, replaced,
                                   [&] { EXPECT_TRUE(index.upsert(Config::key(n), std::move(second))); });
      }
    }
    const auto probe = Config::key(3);
    fail_at_every_step<Config>(index, expected, expected, [&] {
      EXPECT_TRUE(index.contains(probe));
      EXPECT_TRUE(index.read(probe, [](const auto&, const Fussy&) {}));
      const ebr::Barrier barrier;
      EXPECT_FALSE(index.find_or_insert(probe, barrier, 5).second);
    });
    for (int i = 0; i < keys; ++i) {
      const int n = i * 11 % keys;
      const auto key = Config::key(n);
      const auto without_n = next([&](auto& map) { map.erase(n); });
      fail_at_every_step<Config>(index, expected, expected,
                                 [&] { EXPECT_FALSE(index.remove_if(key, [](const Fussy&) { return false; })); });
      fail_at_every_step<Config>(index, expected, without_n, [&] { EXPECT_TRUE(index.remove(key)); });
      if (i == keys / 2) {
        const ebr::Barrier barrier;
        fail_at_every_step<Config>(index, expected, next([&](auto& map) { map[n] = 5; }),
                                   [&] { EXPECT_TRUE(index.find_or_insert(key, barrier, 5).second); });
        fail_at_every_step<Config>(index, expected, next([&](auto& map) { map.erase(n); }),
                                   [&] { EXPECT_TRUE(index.remove(key)); });
      }
    }
    for (int n = 0; n < keys; ++n) index.insert(Config::key(n), Fussy(n)), expected[n] = n;
    if constexpr (requires { index.assign_sorted(std::vector<std::pair<typename Config::Key, Fussy>>()); }) {
      std::vector<std::pair<typename Config::Key, Fussy>> sorted;
      std::map<int, int> assigned;
      for (int n = 0; n < keys; ++n) sorted.emplace_back(Config::key(n), Fussy(2 * n)), assigned[n] = 2 * n;
      fail_at_every_step<Config>(index, expected, assigned, [&] { index.assign_sorted(sorted); });
    }
    fail_at_every_step<Config>(index, expected, {}, [&] { index.clear(); });
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
}

// The same of what only TreeIndex has: changes by functions and handles, and pops.
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
struct OneHash {
  std::size_t operator()(const Fussy&) const noexcept { return 1; }
};
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

// What is outside the range stays, and what a failure leaves of it can be removed afterwards.
template <class Config>
void fail_removal_of_a_range() {
  constexpr int kKeys = 6 * detail::kLeafBase + 1, kBegin = kKeys / 8, kEnd = kKeys * 7 / 8;
  for (std::size_t step = 1;; ++step) {
    TreeIndex<typename Config::Key, Fussy> index;
    std::map<int, int> expected;
    for (int i = 0; i < kKeys; ++i) {
      const int n = i * 7 % kKeys;
      index.insert(Config::key(n), Fussy(n));
      if (n < kBegin || n >= kEnd) expected[n] = n;
    }
    const Bound lower{BoundKind::kIncluded, Config::key(kBegin)}, upper{BoundKind::kExcluded, Config::key(kEnd)};
    std::size_t removed = 0;
    bool done = false;
    FailurePoint::left = step;
    try {
      removed = index.remove_range(lower, upper);
      done = FailurePoint::left != 0;  // otherwise it failed in what is swallowed
    } catch (const std::bad_alloc&) {
    } catch (const Failure&) {
    }
    FailurePoint::left = 0;
    auto left = contents<Config>(index);
    const std::size_t outside = static_cast<std::size_t>(std::count_if(
        left.begin(), left.end(), [](const auto& entry) { return entry.first < kBegin || entry.first >= kEnd; }));
    ASSERT_EQ(outside, expected.size()) << "step " << step;
    removed += index.remove_range(lower, upper);
    ASSERT_LE(removed, std::size_t{kEnd - kBegin});
    ASSERT_EQ(contents<Config>(index), expected) << "step " << step;
    if (done) {
      ASSERT_EQ(removed, std::size_t{kEnd - kBegin});
      return;
    }
    ASSERT_LT(step, 10'000u);
  }
}

TEST(TreeIndexException, a_removal_of_a_range_leaves_the_others_with_keys_that_throw) {
  fail_removal_of_a_range<FussyConfig>();
}
TEST(TreeIndexException, a_removal_of_a_range_leaves_the_others_with_byte_strings) {
  fail_removal_of_a_range<StringConfig>();
}
TEST(TreeIndexException, a_removal_of_a_range_leaves_the_others_with_integers) {
  fail_removal_of_a_range<IntegerConfig>();
}

template <class Index>
void fail_construction() {
  for (std::size_t step = 1;; ++step) {
    FailurePoint::left = step;
    try {
      const Index index;
      FailurePoint::left = 0;
      return;
    } catch (const std::bad_alloc&) {
      EXPECT_EQ(FailurePoint::left, 0u);
    }
    ASSERT_LT(step, 100u);
  }
}

TEST(HashIndexException, construction_leaks_nothing) { fail_construction<HashIndex<std::uint64_t, Fussy>>(); }
TEST(TreeIndexException, construction_leaks_nothing) { fail_construction<TreeIndex<std::uint64_t, Fussy>>(); }

}  // namespace
}  // namespace scree::test

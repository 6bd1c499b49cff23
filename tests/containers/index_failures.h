// SPDX-License-Identifier: Apache-2.0
//
// Everything that may fail in an operation of an index fails in turn; each time the index holds what it held before.
// For the one source of a program, as it replaces operator new.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <scree/tree_index.h>

#include "reclaim.h"
#include "support/failing_new.h"
#include "support/tree_walk.h"

namespace scree::test {

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
inline void may_fail() {
  if (FailurePoint::strikes()) throw Failure();
}

// Key and value that lie in a table.
struct PlainKey {
  int n;
  friend bool operator==(const PlainKey& a, const PlainKey& b) {
    may_fail();
    return a.n == b.n;
  }
};
class PlainValue {
 public:
  PlainValue() = default;
  explicit PlainValue(int n) : n_(n) {}
  int value() const noexcept { return n_; }

 private:
  int n_ = 0;
};
struct HashPlain {
  std::size_t operator()(const PlainKey& key) const {
    may_fail();
    return static_cast<std::size_t>(key.n);
  }
};
struct PlainConfig {
  using Key = PlainKey;
  static PlainKey key(int n) { return {n}; }
  static int number(const PlainKey& key) { return key.n; }
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
  if constexpr (requires { walk_through(index); }) {
    EXPECT_TRUE(size_is_exact(index));
  }
  return entries;
}

// Whether `operation()` returns although its step-th fallible step fails; or, if it has fewer of them, as none does.
template <class Operation>
bool returns_with_failure_at(std::size_t step, Operation& operation) {
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
  return done;
}

// Runs `operation(index)` with its first fallible step failing, then its second, and so on until it has no more of
// them. It returns normally only if it did all its work; `expected` is what the index holds then.
template <class Config, class Index, class Operation>
void fail_at_every_step(Index& index, std::map<int, int>& expected, const std::map<int, int>& afterwards,
                        Operation&& operation) {
  for (std::size_t step = 1;; ++step) {
    const bool done = returns_with_failure_at(step, operation);
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

// The same of an operation on many entries that a failure may leave done in part: each entry is as before, or as
// afterwards. It goes on from there.
template <class Config, class Index, class Operation>
void fail_at_every_step_of_many(Index& index, std::map<int, int>& expected, const std::map<int, int>& afterwards,
                                Operation&& operation) {
  for (std::size_t step = 1;; ++step) {
    const bool done = returns_with_failure_at(step, operation);
    auto now = contents<Config>(index);
    if (done) {
      ASSERT_EQ(now, afterwards) << "step " << step;
      expected = afterwards;
      return;
    }
    const auto in = [](const std::map<int, int>& map, int key) {
      const auto found = map.find(key);
      return found == map.end() ? std::nullopt : std::optional(found->second);
    };
    for (const std::map<int, int>* entries :
         std::initializer_list<const std::map<int, int>*>{&now, &expected, &afterwards}) {
      for (const auto& [key, value] : *entries) {
        ASSERT_TRUE(in(now, key) == in(expected, key) || in(now, key) == in(afterwards, key)) << "key " << key;
      }
    }
    expected = std::move(now);
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
  using Value = typename Index::mapped_type;
  {
    Index index;
    std::map<int, int> expected;
    const auto next = [&](auto change) { return changed(expected, change); };
    for (int i = 0; i < keys; ++i) {
      const int n = i * 7 % keys;
      // Copied in, moved in, replaced: in turn.
      auto key = Config::key(n);
      Value value(n);
      const auto with_n = next([&](auto& map) { map[n] = n; });
      if (i % 4 == 3) {
        fail_at_every_step<Config>(index, expected, with_n, [&] {
          EXPECT_EQ(Config::number(key), n) << "a failure leaves the arguments untouched";
          EXPECT_TRUE(index.insert(std::move(key), value));
        });
        EXPECT_EQ(value.value(), n);
      } else if (i % 3 == 0) {
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
      Value second(n + 1000);
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
      EXPECT_TRUE(index.read(probe, [](const auto&, const Value&) {}));
      const ebr::Barrier barrier;
      EXPECT_FALSE(index.find_or_insert(probe, barrier, 5).second);
    });
    for (int i = 0; i < keys; ++i) {
      const int n = i * 11 % keys;
      const auto key = Config::key(n);
      const auto without_n = next([&](auto& map) { map.erase(n); });
      fail_at_every_step<Config>(index, expected, expected,
                                 [&] { EXPECT_FALSE(index.remove_if(key, [](const Value&) { return false; })); });
      fail_at_every_step<Config>(index, expected, without_n, [&] { EXPECT_TRUE(index.remove(key)); });
      if (i == keys / 2) {
        const ebr::Barrier barrier;
        fail_at_every_step<Config>(index, expected, next([&](auto& map) { map[n] = 5; }),
                                   [&] { EXPECT_TRUE(index.find_or_insert(key, barrier, 5).second); });
        fail_at_every_step<Config>(index, expected, next([&](auto& map) { map.erase(n); }),
                                   [&] { EXPECT_TRUE(index.remove(key)); });
      }
    }
    for (int n = 0; n < keys; ++n) index.insert(Config::key(n), Value(n)), expected[n] = n;
    if constexpr (requires { index.assign_sorted(std::vector<std::pair<typename Config::Key, Value>>()); }) {
      std::vector<std::pair<typename Config::Key, Value>> sorted;
      std::map<int, int> assigned;
      for (int n = 0; n < keys; ++n) sorted.emplace_back(Config::key(n), Value(2 * n)), assigned[n] = 2 * n;
      fail_at_every_step<Config>(index, expected, assigned, [&] { index.assign_sorted(sorted); });
    }
    fail_at_every_step_of_many<Config>(index, expected, {}, [&] { index.clear(); });
  }
  EXPECT_TRUE(reclaim_all());
  EXPECT_EQ(Fussy::alive, 0);
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

// What is outside the range stays, and what a failure leaves of it can be removed afterwards.
// `remove(index, lower, upper)`: returns how many it removed.
template <class Config, class Remove>
void fail_removal_of_a_range(const Remove& remove) {
  constexpr int kEntries = 6 * detail::kLeafBase + 1, kBegin = kEntries / 8, kEnd = kEntries * 7 / 8;
  for (std::size_t step = 1;; ++step) {
    TreeIndex<typename Config::Key, Fussy> index;
    std::map<int, int> expected;
    for (int i = 0; i < kEntries; ++i) {
      const int n = i * 7 % kEntries;
      index.insert(Config::key(n), Fussy(n));
      if (n < kBegin || n >= kEnd) expected[n] = n;
    }
    const Bound lower{BoundKind::kIncluded, Config::key(kBegin)}, upper{BoundKind::kExcluded, Config::key(kEnd)};
    std::size_t removed = 0;
    bool done = false;
    FailurePoint::left = step;
    try {
      removed = remove(index, lower, upper);
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

}  // namespace scree::test

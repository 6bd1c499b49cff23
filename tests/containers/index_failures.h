// SPDX-License-Identifier: Apache-2.0
//
// Everything that may fail in an operation of an index fails in turn; each time the index holds what it held before.
// For the one source of a program, as it replaces operator new.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <scree/tree_index.h>

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

// What is outside the range stays, and what a failure leaves of it can be removed afterwards.
// `remove(index, lower, upper)`: returns how many it removed.
template <class Config, class Remove>
void fail_removal_of_a_range(const Remove& remove) {
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

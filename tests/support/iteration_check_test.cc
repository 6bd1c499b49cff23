// SPDX-License-Identifier: Apache-2.0

#include "support/iteration_check.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace scree::test {
namespace {

TEST(IterationCheck, accepts_what_keeps_the_promise) {
  const IterationPromise promise{.present = {1, 3, 5}, .changing = {2, 4}, .order = Order::kAscending};
  EXPECT_EQ(promise.violation({1, 3, 5}), std::nullopt);
  EXPECT_EQ(promise.violation({1, 2, 3, 4, 5}), std::nullopt);
}

TEST(IterationCheck, refuses_each_violation) {
  const IterationPromise promise{.present = {1, 3, 5}, .changing = {2, 4}, .order = Order::kAscending};
  EXPECT_EQ(promise.violation({1, 5}), "missed key 3");
  EXPECT_EQ(promise.violation({1, 3, 3, 5}), "visited key 3 twice");
  EXPECT_EQ(promise.violation({1, 2, 3, 5, 2}), "visited key 2 twice");
  EXPECT_EQ(promise.violation({1, 3, 5, 6}), "visited absent key 6");
  EXPECT_EQ(promise.violation({3, 1, 5}), "key 1 came after 3");
}

TEST(IterationCheck, refuses_the_wrong_direction) {
  const IterationPromise promise{.present = {1, 3}, .changing = {}, .order = Order::kDescending};
  EXPECT_EQ(promise.violation({3, 1}), std::nullopt);
  EXPECT_EQ(promise.violation({1, 3}), "key 3 came after 1");
}

// An iterator that remembers its place as a position, which shifts under insertions and removals.
class PositionIterator {
 public:
  explicit PositionIterator(const std::map<std::uint64_t, int>& map) : map_(map) {}
  bool next(std::uint64_t& key) {
    if (position_ >= map_.size()) return false;
    key = std::next(map_.begin(), static_cast<std::ptrdiff_t>(position_++))->first;
    return true;
  }

 private:
  const std::map<std::uint64_t, int>& map_;
  std::size_t position_ = 0;
};

TEST(IterationCheck, catches_an_iterator_that_shifts_under_insertions_and_removals) {
  IterationPromise promise{.present = {10, 20, 30, 40}, .changing = {5}};
  for (const bool insert : {true, false}) {
    std::map<std::uint64_t, int> map;
    for (std::uint64_t key : promise.present) map[key] = 0;
    if (!insert) map[5] = 0;
    PositionIterator it(map);
    std::vector<std::uint64_t> visited;
    std::uint64_t key;
    while (it.next(key)) {
      visited.push_back(key);
      if (visited.size() == 2) insert ? void(map[5] = 0) : void(map.erase(5));
    }
    EXPECT_EQ(promise.violation(visited), insert ? "visited key 20 twice" : "missed key 20");
  }
}

}  // namespace
}  // namespace scree::test

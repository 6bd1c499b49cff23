// SPDX-License-Identifier: Apache-2.0
//
// What Stack alone promises among threads: iteration sees one instant. The rest: sequence_concurrency_test.cc.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <scree/stack.h>

#include "jitter.h"
#include "run_threads.h"

namespace scree::test {
namespace {

using ebr::Barrier;
using Numbers = Stack<std::int64_t>;

TEST(StackConcurrency, iteration_visits_what_is_present_throughout_exactly_once_in_order) {
  const Jitter jitter;
  constexpr std::int64_t kPresent = 50;
  Numbers stack;
  for (std::int64_t n = 0; n < kPresent; ++n) stack.push(n);
  Atomic<bool> done{false};
  run_threads(3, [&](std::size_t t) {
    if (t == 0) {
      const std::unique_ptr<Atomic<bool>, void (*)(Atomic<bool>*)> at_the_end(
          &done, [](Atomic<bool>* flag) { flag->store(true, memory_order_relaxed); });
      for (int walk = 0; walk < 5000; ++walk) {
        const Barrier barrier;
        std::vector<std::int64_t> seen;
        for (const std::int64_t& value : stack.iter(barrier)) {
          // The others pop what it is at, now and then.
          if (seen.empty() && walk % 10 == 0) std::this_thread::yield();
          seen.push_back(value);
        }
        ASSERT_GE(seen.size(), static_cast<std::size_t>(kPresent));
        std::reverse(seen.begin(), seen.end());
        for (std::int64_t n = 0; n < kPresent; ++n) ASSERT_EQ(seen[static_cast<std::size_t>(n)], n);
        std::sort(seen.begin(), seen.end());
        EXPECT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end()) << "nothing is visited twice";
      }
      return;
    }
    std::mt19937_64 random(t);
    for (std::int64_t n = kPresent; !done.load(memory_order_relaxed); ++n) {
      stack.push(2 * n + static_cast<std::int64_t>(t) - 1);
      while (random() % 3 != 0) stack.pop_if([=](const std::int64_t& newest) { return newest >= kPresent; });
    }
  });
}

}  // namespace
}  // namespace scree::test

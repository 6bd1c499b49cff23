// SPDX-License-Identifier: Apache-2.0
//
// How checkers report: nothing, or the first thing that was wrong.

#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace scree::test {

// Collected from several threads.
class Verdict {
 public:
  void report(std::string what) {
    const std::lock_guard guard(mutex_);
    if (!what_) what_ = std::move(what);
    reported_.store(true, std::memory_order_relaxed);
  }
  bool reported() const { return reported_.load(std::memory_order_relaxed); }
  std::optional<std::string> get() {
    const std::lock_guard guard(mutex_);
    return what_;
  }

 private:
  std::mutex mutex_;
  std::optional<std::string> what_;
  std::atomic<bool> reported_{false};
};

inline ::testing::AssertionResult is_right(const std::optional<std::string>& verdict) {
  if (!verdict) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << *verdict;
}

// For a planted bug that needs the right interleaving: whether `check(seed)` reports it for some of many seeds.
template <class Check>
::testing::AssertionResult is_caught(Check&& check) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    if (auto verdict = check(seed)) return ::testing::AssertionSuccess() << *verdict;
  }
  return ::testing::AssertionFailure() << "the planted bug went unnoticed";
}

}  // namespace scree::test

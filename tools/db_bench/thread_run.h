// SPDX-License-Identifier: Apache-2.0
//
// The measuring side of one benchmark thread: how many operations are left, which of them are timed, what was done.

#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <thread>
#include <utility>

#include "histogram.h"

namespace scree::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

struct ThreadResult {
  std::uint64_t operations = 0;
  std::uint64_t bytes = 0;  // of keys and values
  std::uint64_t found = 0;
  Clock::time_point start;
  Clock::time_point finish;
  Histogram latency;
};

// Shows on a terminal how far the threads of a benchmark are.
class Progress {
 public:
  Progress() : enabled_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (enabled_) std::fprintf(stderr, "\r%40s\r", "");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void add(std::uint64_t operations) {
    if (!enabled_) return;
    const std::uint64_t done = done_.fetch_add(operations, std::memory_order_relaxed) + operations;
    const std::int64_t now = Clock::now().time_since_epoch().count();
    std::int64_t shown = shown_.load(std::memory_order_relaxed);
    constexpr std::int64_t kPeriod = Clock::duration(std::chrono::milliseconds(200)).count();
    if (now - shown >= kPeriod && shown_.compare_exchange_strong(shown, now, std::memory_order_relaxed)) {
      std::fprintf(stderr, "... finished %llu ops%10s\r", static_cast<unsigned long long>(done), "");
    }
  }

 private:
  const bool enabled_;
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::int64_t> shown_{0};
};

// Holds all writers of a benchmark together to a number of bytes per second. 0: no limit.
class RateLimiter {
 public:
  explicit RateLimiter(std::uint64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}

  // Counts `bytes` as written and sleeps until they are allowed; gives up early once `stop()`.
  template <typename Stop>
  void pace(std::uint64_t bytes, Stop&& stop) {
    if (bytes_per_second_ == 0) return;
    const std::uint64_t total = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    const auto due = start_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(
                                  static_cast<double>(total) / static_cast<double>(bytes_per_second_)));
    while (Clock::now() < due && !stop()) {
      std::this_thread::sleep_until(std::min(due, Clock::now() + std::chrono::milliseconds(10)));
    }
  }

 private:
  const std::uint64_t bytes_per_second_;
  const Clock::time_point start_ = Clock::now();
  std::atomic<std::uint64_t> bytes_{0};
};

// One operation in `latency_stride` is timed (0: none). A stride that is prime meets no rhythm of an engine.
class ThreadRun {
 public:
  ThreadRun(std::uint64_t operations, Clock::duration duration, unsigned latency_stride, Progress* progress)
      : operations_(operations),
        duration_(duration),
        stride_(latency_stride),
        until_timed_(latency_stride),
        progress_(progress) {}

  void start() { result_.start = Clock::now(); }
  void finish() { result_.finish = Clock::now(); }

  // Operations left to do; with a duration, any number while it lasts.
  std::uint64_t left() {
    if (duration_ == Clock::duration::zero()) return operations_ - result_.operations;
    constexpr unsigned kCallsPerClockRead = 64;
    if (!expired_ && ++calls_ % kCallsPerClockRead == 0) expired_ = Clock::now() - result_.start >= duration_;
    return expired_ ? 0 : ~std::uint64_t{0};
  }

  // Runs `operation`, which stands for `count` operations and is timed as a whole.
  template <typename Operation>
  auto measure(std::uint64_t count, Operation&& operation) {
    result_.operations += count;
    pending_ += count;
    constexpr std::uint64_t kProgressStep = 1024;
    if (pending_ >= kProgressStep) progress_->add(std::exchange(pending_, 0));
    if (stride_ == 0 || --until_timed_ != 0) return operation();
    until_timed_ = stride_;
    const Clock::time_point before = Clock::now();
    auto outcome = operation();
    result_.latency.add(static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - before).count()));
    return outcome;
  }

  void add_bytes(std::uint64_t bytes) { result_.bytes += bytes; }
  void add_found() { ++result_.found; }
  const ThreadResult& result() const { return result_; }

 private:
  const std::uint64_t operations_;
  const Clock::duration duration_;
  const unsigned stride_;
  unsigned until_timed_;
  unsigned calls_ = 0;
  bool expired_ = false;
  std::uint64_t pending_ = 0;
  Progress* const progress_;
  ThreadResult result_;
};

}  // namespace scree::bench

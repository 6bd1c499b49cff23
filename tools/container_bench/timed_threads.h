// SPDX-License-Identifier: Apache-2.0
//
// Runs the same body on several threads, each on a core of its own as far as there are cores, and tells how long their
// measured parts took together.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <latch>

#include "contender.h"

namespace scree::bench {

// The measured part of one thread: the body prepares, calls start(), works, calls stop(), and clears up.
class Lap {
 public:
  explicit Lap(std::latch* all_ready) : all_ready_(all_ready) {}

  // Returns once all threads have come here.
  void start() {
    all_ready_->arrive_and_wait();
    start_ = std::chrono::steady_clock::now();
  }
  void stop() { stop_ = std::chrono::steady_clock::now(); }

  std::chrono::steady_clock::time_point started() const { return start_; }
  std::chrono::steady_clock::time_point stopped() const { return stop_; }

 private:
  std::latch* const all_ready_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point stop_;
};

// Nanoseconds from the first start to the last stop. The threads are new ones and have ended when this returns.
double run_on_threads(unsigned threads, const std::function<void(Lap& lap)>& body);

// A run whose threads do nothing but `loop`, while a `Thread` lives on each of them.
template <class Thread>
RunFunction loop_on_threads(void (*loop)(std::uint64_t operations)) {
  return [loop](const RunRequest& request, double* nanoseconds) {
    *nanoseconds = run_on_threads(request.threads, [&](Lap& lap) {
      [[maybe_unused]] Thread thread;
      loop(1);  // what a thread pays once
      lap.start();
      loop(request.operations_per_thread());
      lap.stop();
    });
    return Status::ok();
  };
}

}  // namespace scree::bench

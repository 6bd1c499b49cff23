// SPDX-License-Identifier: Apache-2.0
//
// Threads that hammer a few keys of a map with random single-key operations, each recorded.

#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/history.h"
#include "support/start_line.h"

namespace scree::test {

struct Workload {
  std::size_t threads = 3;
  std::size_t operations = 8000;  // of each thread
  std::uint64_t keys = 16;
  std::uint64_t seed = 1;
};

// `perform(Event&)` does what the event says and fills in its result; threads call it at the same time. At the end every key
// is read once more, by one thread. Returns find_violation()'s verdict.
template <class Perform>
std::optional<std::string> run_and_check(const Workload& workload, Perform&& perform) {
  HistoryClock clock;
  std::vector<Recorder> recorders(workload.threads + 1, Recorder(clock));
  StartLine start(workload.threads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < workload.threads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(workload.seed * 1000 + t);
      Recorder& recorder = recorders[t];
      start.wait();
      for (std::size_t n = 0; n < workload.operations; ++n) {
        static constexpr Op kMix[] = {Op::kInsert, Op::kUpsert,      Op::kUpsert, Op::kRemove,
                                      Op::kRemove, Op::kRemoveIfOdd, Op::kRead,   Op::kRead,
                                      Op::kRead,   Op::kFindOrInsert, Op::kUpdate};
        const std::uint64_t key = random() % workload.keys;
        const Op op = kMix[random() % std::size(kMix)];
        // Every write has its own value.
        recorder.record(key, op, static_cast<std::int64_t>(n * workload.threads + t), perform);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::uint64_t key = 0; key < workload.keys; ++key) recorders.back().record(key, Op::kRead, 0, perform);
  return find_violation(recorders);
}

}  // namespace scree::test

// SPDX-License-Identifier: Apache-2.0
//
// Runs one benchmark once on an open store.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "adapter.h"
#include "config.h"
#include "generator.h"
#include "histogram.h"

namespace scree::bench {

// What a group of threads that did the same thing did together.
struct Measurement {
  std::string name;  // the benchmark's, or that with "_writer" behind it
  unsigned threads = 0;
  std::uint64_t operations = 0;
  std::uint64_t bytes = 0;
  double thread_seconds = 0;  // summed over the threads
  double wall_seconds = 0;    // from the first start to the last finish
  std::string remark;
  Histogram latency;  // empty unless asked for

  double operations_per_second() const;
  double microseconds_per_operation() const;  // of a thread's time
};

struct RunResult {
  Measurement main;
  std::optional<Measurement> writer;  // of a benchmark with a background writer
};

Status run_benchmark(const Benchmark& benchmark, const Config& config, const ValuePool& pool, std::uint64_t seed,
                     Store& store, RunResult* result);

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0
//
// The benchmarks: what each does with a session, in terms of the adapter interface only.

#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "adapter.h"
#include "config.h"
#include "generator.h"
#include "thread_run.h"

namespace scree::bench {

// What a benchmark wants to find and what it leaves behind.
enum class StoreState {
  kFresh,      // starts from an empty store
  kUnchanged,  // only reads
  kChanging,   // writes to what is there
};

// What is said behind the result line.
enum class Remark { kNone, kFound, kUpdates };

// All that one thread of a running benchmark has.
struct WorkloadThread {
  const Config& config;
  Session& session;
  ThreadRun& run;
  ValueGenerator values;
  Random random;
  RateLimiter& limiter;
  const std::function<bool()>& readers_done;  // for the background writer
};

struct Benchmark {
  std::string_view name;
  StoreState state;
  std::uint64_t (*operations)(const Config& config);  // per thread
  Status (*body)(WorkloadThread& thread);
  Remark remark = Remark::kNone;
  Status (*writer)(WorkloadThread& thread) = nullptr;  // of one more thread, until the others are done
  bool needs_order = false;                            // seeks or moves backwards
  bool slow = false;                                   // timing each operation costs nothing that shows
  bool syncs = false;                                  // every write waits for the disk, whatever --sync says
  bool counted = false;                                // --duration does not apply
};

std::span<const Benchmark> benchmarks();

// Null if there is no such benchmark.
const Benchmark* find_benchmark(std::string_view name);

// "fillseq, fillbatch, …"
std::string benchmark_names();

}  // namespace scree::bench

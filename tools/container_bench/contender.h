// SPDX-License-Identifier: Apache-2.0
//
// What is measured against what. A contender is called once per run and loops inside, so that its operation is inlined
// into a loop of its own: nothing virtual stands between two operations.

#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <scree/status.h>

namespace scree::bench {

struct RunRequest {
  unsigned threads = 1;
  std::uint64_t n = 0;  // operations of all threads together, a multiple of `threads`

  std::uint64_t operations_per_thread() const { return n / threads; }
};

// What a benchmark measures.
enum class Measure {
  kNanoseconds,  // of wall-clock time, of all operations together. What a run prepares and checks is not in it
  kBytes,        // of memory, of all entries together
  kPercent,      // that is left of it
};

// Does all operations once and sets what they took.
using RunFunction = std::function<Status(const RunRequest& request, double* measured)>;

// What a side is measured for. The last two are containers of ours, too, and show how the throughput of several threads
// grows over that of one, and how it would if they had nothing in common.
enum class Role {
  kRival,
  kOneThread,    // one thread does the work of all
  kIndependent,  // each thread does the work of all, with a container of its own
};

// One side of a benchmark: a container of ours, or a peer.
struct Contender {
  std::string name;
  RunFunction run;
  unsigned max_threads = std::numeric_limits<unsigned>::max();  // it is left out where there are more
  Role role = Role::kRival;

  bool takes_part(unsigned threads) const { return threads <= max_threads && (threads > 1 || role == Role::kRival); }
};

// A benchmark of one of our containers.
struct Benchmark {
  std::string name;
  Contender container;
  std::vector<Contender> peers = {};
  std::optional<std::uint64_t> default_n = {};  // where the result depends on it; else what lasts long enough
  std::optional<unsigned> only_threads = {};    // what it is defined for, whatever was asked for
  std::uint64_t max_n = std::numeric_limits<std::uint64_t>::max();  // operations of a run that memory bears
  Measure measure = Measure::kNanoseconds;
};

}  // namespace scree::bench

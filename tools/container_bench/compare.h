// SPDX-License-Identifier: Apache-2.0
//
// Runs a benchmark and says what came out.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "contender.h"
#include "results.h"

namespace scree::bench {

// Times ÷ that of one thread which does the same: what a scaling is the inverse of.
struct Scaling {
  Ratio shared;       // of the threads with one container
  Ratio independent;  // and with a container each
};

// One benchmark with one number of threads. In results the container comes first, then its peers; ratios are in the
// order of the peers: our time ÷ the peer's, or memory; lower is better. There are none of percentages.
struct Comparison {
  std::vector<SubjectResult> results;
  std::vector<Ratio> ratios;
  std::optional<Scaling> scaling;  // where both of its peers took part
};

// Runs all contenders in turn (A B C A B C …), one round that does not count, then `reps` rounds. Every run does the
// same number of operations: `n` rounded up to a multiple of `threads`, as far as the benchmark allows; without `n`,
// the benchmark's default, or as many as take every contender 50 ms. Memory, which varies little, is measured once.
Status compare(const Benchmark& benchmark, unsigned threads, std::optional<std::uint64_t> n, unsigned reps,
               Comparison* comparison);

}  // namespace scree::bench

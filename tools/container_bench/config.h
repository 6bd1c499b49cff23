// SPDX-License-Identifier: Apache-2.0
//
// What the command line asked for, checked: the rest of the tool reads this and never a flag.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "contender.h"

namespace scree::bench {

struct Config {
  std::vector<Benchmark> benchmarks;  // those asked for, each with those of its peers that were asked for
  std::vector<std::string> skipped;   // a line for each peer that was asked for and is not compiled in
  std::vector<unsigned> threads;
  std::optional<std::uint64_t> n;  // operations of a run; not given: what lasts long enough
  unsigned reps = 0;
  std::string json_path;  // empty: no JSON
};

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "config.h"
#include "report.h"

namespace scree::bench {

// Runs each of the benchmarks on engine and peer in turn (A B A B …), one uncounted pair first, and fills the
// report's results and ratios. Both sides of a pair see the same operations on a store filled by the same operations:
// a fill benchmark has a fresh store each time, reading ones share one filled pair, and each one that changes its
// store gets a filled pair of its own on which its runs follow one another. The stores are removed at the end.
Status run_comparison(const Config& config, Report* report);

}  // namespace scree::bench

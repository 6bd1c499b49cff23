// SPDX-License-Identifier: Apache-2.0
//
// The Markdown tables that are printed.

#pragma once

#include <span>
#include <string>

#include "compare.h"

namespace scree::bench {

// A row per contender, ours first.
std::string table_head();
std::string table_rows(const Comparison& comparison);

// A row per comparison that has one: throughput ÷ that of one thread, higher is better.
std::string scaling_table(std::span<const Scaling> scalings);

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0
//
// The Markdown table that is printed: a row per contender, ours first.

#pragma once

#include <string>

#include "compare.h"

namespace scree::bench {

std::string table_head();
std::string table_rows(const Comparison& comparison);

}  // namespace scree::bench

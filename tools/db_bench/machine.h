// SPDX-License-Identifier: Apache-2.0
//
// What a result depends on beside the code: the machine, the compiler, the versions of the engines.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config.h"

namespace scree::bench {

// Names and values, in the order in which they are shown.
std::vector<std::pair<std::string, std::string>> machine_facts(const Config& config);

}  // namespace scree::bench

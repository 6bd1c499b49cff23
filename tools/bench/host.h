// SPDX-License-Identifier: Apache-2.0
//
// What a result depends on beside the code: the machine and the compiler.

#pragma once

#include <string>
#include <utility>
#include <vector>

namespace scree::bench {

// Names and values, in the order in which they are shown.
using Facts = std::vector<std::pair<std::string, std::string>>;

// Date, CPU, cores, memory, kernel, compiler, and how this program was built.
Facts host_facts();

}  // namespace scree::bench

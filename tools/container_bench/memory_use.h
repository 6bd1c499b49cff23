// SPDX-License-Identifier: Apache-2.0
//
// How much memory something takes, whoever allocates it.

#pragma once

#include <functional>
#include <vector>

#include <scree/status.h>

namespace scree::bench {

// Does the steps, one after another, in a child process, and sets the bytes that each of them finds the child to have
// of its own when it has ended, beyond those that it had before the first. These are the pages that it has written:
// what it takes from the system, and what it was left by this process and uses. Beforehand, what malloc has free is
// given back to the system.
Status memory_after(const std::vector<std::function<Status()>>& steps, std::vector<double>* bytes);

}  // namespace scree::bench

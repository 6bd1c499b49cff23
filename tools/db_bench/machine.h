// SPDX-License-Identifier: Apache-2.0
//
// What a result depends on beside the code: the machine, the compiler, the versions of the engines.

#pragma once

#include "config.h"
#include "host.h"

namespace scree::bench {

Facts machine_facts(const Config& config);

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0
//
// The engines that this build of the tool can drive.

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "adapter.h"

namespace scree::bench {

std::span<const EngineEntry> engines();

// Null if there is no such engine.
const EngineEntry* find_engine(std::string_view name);

// "scree, scree_hash, …"
std::string engine_names();

// Defined in the adapters.
EngineEntry scree_engine();
EngineEntry scree_hash_engine();
EngineEntry rocksdb_engine();

}  // namespace scree::bench

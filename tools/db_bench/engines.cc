// SPDX-License-Identifier: Apache-2.0

#include "engines.h"

#include <array>

namespace scree::bench {

std::span<const EngineEntry> engines() {
  static const std::array kEngines = {scree_engine(), scree_hash_engine(), rocksdb_engine()};
  return kEngines;
}

const EngineEntry* find_engine(std::string_view name) {
  for (const EngineEntry& engine : engines()) {
    if (engine.name == name) return &engine;
  }
  return nullptr;
}

std::string engine_names() {
  std::string names;
  for (const EngineEntry& engine : engines()) {
    if (!names.empty()) names += ", ";
    names += engine.name;
  }
  return names;
}

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include <scree/ebr.h>

#include "generation.h"
#include "tables_handle.h"

namespace scree::detail {

// What a read looks through, newest first: the generations in memory, then the tables. Immutable; replaced whole at
// a freeze and when a flush lands. Point reads take it under a barrier, iterators and snapshots hold it by count.
struct VersionSet {
  std::vector<std::shared_ptr<Generation>> generations;  // never empty; the first one takes new commits
  std::shared_ptr<TablesHandle> tables;
  std::vector<std::uint32_t> indexes_in_tables;  // ascending; of the others the tables need not be asked

  Generation& active() const noexcept { return *generations.front(); }

  bool in_tables(std::uint32_t index) const noexcept {
    return std::binary_search(indexes_in_tables.begin(), indexes_in_tables.end(), index);
  }

  // The one that the commit at `begin` belongs to; null if it has been flushed.
  Generation* generation_of(Position begin) const noexcept {
    for (const auto& generation : generations) {
      if (begin >= generation->begin()) return generation.get();
    }
    return nullptr;
  }
};

}  // namespace scree::detail

// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "check.h"

namespace package_index {

struct WorkOptions {
  unsigned threads = 2;  // that write; half as many check meanwhile
  // The pass to bring every slot to. Nothing: go on with pass after pass for ever.
  std::optional<std::uint32_t> final_pass;
  // Called by the writers after each batch, as soon as the engine has acknowledged it. False ends the work.
  std::function<bool(BatchId)> acknowledged;
};

struct WorkTotals {
  std::uint64_t batches = 0;
  std::uint64_t checks = 0;
};

// Several threads write while others check under snapshots. Ends early at the first disagreement or failed write.
WorkTotals work(Store& store, std::span<const Stanza> stanzas, const WorkOptions& options, Disagreements* found);

}  // namespace package_index

// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include <scree/atomic.h>
#include <scree/options.h>

namespace scree {

// One index of an open engine, shared by its handles. An index exists for commits from `created_at` to `dropped_at`.
struct IndexState {
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t engine;  // which open engine it belongs to; unique in the process
  std::uint32_t id;
  IndexKind kind;
  std::string name;
  std::uint64_t created_at;
  Atomic<std::uint64_t> dropped_at{kNever};

  bool is_dropped() const noexcept { return dropped_at.load(memory_order_acquire) != kNever; }
};

}  // namespace scree

// SPDX-License-Identifier: Apache-2.0
//
// Generation: the memtables of all commits within a range of log positions, a whole number of segments. The position of a
// commit selects the generation, never the time of its insertion. Protocol: docs/protocols/freeze.md.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

#include <scree/atomic.h>
#include <scree/commit_clock.h>
#include <scree/hash_index.h>
#include <scree/log.h>

#include "index_state.h"
#include "memtable.h"

namespace scree::detail {

// Bytes of keys, versions and their bookkeeping.
class MemoryGauge {
 public:
  void add(std::size_t bytes) noexcept { bytes_.fetch_add(bytes, memory_order_relaxed); }
  void subtract(std::size_t bytes) noexcept { bytes_.fetch_sub(bytes, memory_order_relaxed); }
  std::size_t bytes() const noexcept { return bytes_.load(memory_order_relaxed); }

 private:
  Atomic<std::size_t> bytes_{0};
};

class Generation {
 public:
  static constexpr Position kOpenEnd = std::numeric_limits<Position>::max();

  // `budget` is charged with what the generation holds until discharge().
  Generation(CommitClock& clock, std::shared_ptr<MemoryGauge> budget) : clock_(clock), budget_(std::move(budget)) {}
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  // It holds the commits whose record begins in [begin, end). Set before any such position can be reserved.
  Position begin() const noexcept { return begin_.load(memory_order_acquire); }
  Position end() const noexcept { return end_.load(memory_order_acquire); }
  void set_begin(Position position) noexcept { begin_.store(position, memory_order_release); }
  void set_end(Position position) noexcept { end_.store(position, memory_order_release); }

  // The memtable of an index, made on first use. Valid as long as the generation.
  Memtable& memtable(std::uint32_t index, IndexKind kind, const ebr::Barrier& barrier) {
    return tables_.find_or_insert(index, barrier, kind, clock_).first;
  }
  // Null if nothing was ever written to it here.
  const Memtable* find(std::uint32_t index, const ebr::Barrier& barrier) const { return tables_.peek(index, barrier); }

  // Calls `f(index id, memtable)` for each, in no particular order.
  template <class F>
  void for_each(F&& f, const ebr::Barrier& barrier) const {
    for (auto [index, table] : tables_.iter(barrier)) f(index, table);
  }

  // The budget is never charged with less than the generation holds, not even for a moment: it would wrap.
  void account(std::size_t added, std::size_t removed) noexcept {
    budget_->add(added);
    const std::size_t before = bytes_.fetch_add(added - removed, memory_order_relaxed);  // modulo 2^64
    budget_->subtract((before & kDischarged) == 0 ? removed : added);
  }
  // Flushed: from now on only its readers hold it. No commit goes to it any more; a writer that took it for the active one
  // and has no position yet may still leave empty chains in it, and prune.
  void discharge() noexcept { budget_->subtract(bytes_.fetch_or(kDischarged, memory_order_relaxed)); }
  std::size_t bytes() const noexcept { return bytes_.load(memory_order_relaxed) & ~kDischarged; }

 private:
  static constexpr std::size_t kDischarged = ~(~std::size_t{0} >> 1);  // a flag in bytes_

  CommitClock& clock_;
  const std::shared_ptr<MemoryGauge> budget_;
  Atomic<Position> begin_{0};
  Atomic<Position> end_{kOpenEnd};
  Atomic<std::size_t> bytes_{0};  // and kDischarged
  HashIndex<std::uint32_t, Memtable> tables_;
};

}  // namespace scree::detail

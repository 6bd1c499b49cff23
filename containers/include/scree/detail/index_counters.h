// SPDX-License-Identifier: Apache-2.0
//
// How many entries an index has, and how many bytes what belongs to it takes.
//
// Thread safety: any thread at any time. A sum is exact if all that was counted happens before it; beside writers it is
// that of no one moment. What is decided by it, as the size of a table, is right with any value; so it is not under the
// explorer.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include <scree/atomic.h>
#include <scree/detail/ebr_thread.h>

namespace scree::detail {

class IndexCounters {
 public:
  // Either may be less than none, or none.
  void add(std::ptrdiff_t entries, std::ptrdiff_t bytes) noexcept {
    const std::size_t number = ebr::detail::current_record().number;
    if (number < kOwned) {
      // One thread at a time has the record, so a load and a store will do, at a tenth of the time.
      Stripe& mine = stripes_[number];
      mine.entries.store(mine.entries.load(memory_order_relaxed) + entries, memory_order_relaxed);
      mine.bytes.store(mine.bytes.load(memory_order_relaxed) + bytes, memory_order_relaxed);
    } else {
      Stripe& shared = stripes_[kOwned + number % kShared];
      if (entries != 0) shared.entries.fetch_add(entries, memory_order_relaxed);
      if (bytes != 0) shared.bytes.fetch_add(bytes, memory_order_relaxed);
    }
  }

  std::size_t entries() const noexcept { return sum(&Stripe::entries); }
  std::size_t bytes() const noexcept { return sum(&Stripe::bytes); }

 private:
  // Stripes, so that threads do not write to one line: of the first records each has one of its own.
  static constexpr std::size_t kOwned = 8, kShared = 8;
  struct alignas(64) Stripe {
    std::atomic<std::ptrdiff_t> entries{0};
    std::atomic<std::ptrdiff_t> bytes{0};
  };

  // A removal may be seen here before the insert of what it removed.
  std::size_t sum(std::atomic<std::ptrdiff_t> Stripe::*of) const noexcept {
    std::ptrdiff_t sum = 0;
    for (const Stripe& stripe : stripes_) sum += (stripe.*of).load(memory_order_relaxed);
    return sum < 0 ? 0 : static_cast<std::size_t>(sum);
  }

  std::array<Stripe, kOwned + kShared> stripes_{};
};

}  // namespace scree::detail

// SPDX-License-Identifier: Apache-2.0
//
// HashPhases: from when on a slot that has lost its entry may get another one, where readers take no lock and may still
// look at the old one. A phase ends, at the earliest, when every barrier that began before it did has ended. A removal
// leaves the number of the phase in the slot's fingerprint, which is not needed any more; kPhases later nobody looks
// there (argued on docs/protocols/hash.md). One byte is enough: a number that comes round again only looks younger.
//
// Thread safety: any thread at any time, inside a barrier.

#pragma once

#include <cstdint>

#include <scree/atomic.h>
#include <scree/detail/ebr_thread.h>

namespace scree::detail {

class HashPhases {
 public:
  // Of a removal that has been published.
  std::uint8_t label() const noexcept { return number_of(word_.load(memory_order_acquire)); }  // [L1]
  bool is_over(std::uint8_t label) const noexcept {
    return static_cast<std::uint8_t>(number_of(word_.load(memory_order_acquire)) - label) >= kPhases;  // [L2]
  }

  // Somebody found no slot that may be used again. O(1).
  void ran_short() noexcept {
    shortages_.store(shortages_.load(memory_order_relaxed) + 1, memory_order_relaxed);
    std::uint64_t word = word_.load(memory_order_acquire);
    ebr::detail::Domain& domain = ebr::detail::domain();
    if (!domain.is_past(word >> kNumberBits)) return;
    const std::uint64_t begins = domain.begin_period();
    const auto next = static_cast<std::uint8_t>(number_of(word) + 1);
    word_.compare_exchange_strong(word, begins << kNumberBits | next, memory_order_acq_rel);  // [L3]
  }
  // Outside all locks, now and then: has the phases end soon if slots are wanted.
  void hurry() noexcept {
    if (shortages_.load(memory_order_relaxed) < kShortages) return;
    shortages_.store(0, memory_order_relaxed);
    ebr::detail::domain().advance_now(ebr::detail::current_record());
  }

 private:
  static constexpr unsigned kNumberBits = 8;
  static constexpr std::uint8_t kPhases = 5;
  // An advance of the domain costs as much as a few thousand searches.
  static constexpr std::uint32_t kShortages = 64;

  static constexpr std::uint8_t number_of(std::uint64_t word) noexcept { return static_cast<std::uint8_t>(word); }

  Atomic<std::uint64_t> word_{0};       // the epoch from which on, and the number of the phase
  Atomic<std::uint32_t> shortages_{0};  // since the last hurry; about
};

}  // namespace scree::detail

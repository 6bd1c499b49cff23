// SPDX-License-Identifier: Apache-2.0
//
// The one word of a Lock: who holds it, who waits, and who may touch the queue of those who wait.

#pragma once

#include <cassert>
#include <cstdint>

#include <scree/atomic.h>

namespace scree::detail {

class Waiter;

enum class LockMode : std::uint8_t {
  kExclusive,
  kShared,
  kNothing,  // waits as for kExclusive, and then holds nothing
};

// A value; the Lock has an atomic of its bits.
//
//   bit  0      held exclusively
//   bit  1      the queue is locked: one thread sorts it and chooses from it
//   bit  2      a thread has been woken and has not tried yet: nobody else is woken
//   bit  3      a waiter that met a locked queue wants to leave it
//   bit  4      killed
//   bits 5-18   how many hold it shared, or look in to see whether they may: at most kMostShared hold it, and there is
//               room for as many that look in
//   bits 19-63  the newest waiter's address, without its low 3 bits, which are 0, and its high 16, which are, too
class LockWord {
 public:
  constexpr LockWord() noexcept = default;  // free, and nobody waits
  explicit constexpr LockWord(std::uint64_t bits) noexcept : bits_(bits) {}

  // To be compared and exchanged, and to be replaced where that fails.
  std::uint64_t& bits() & noexcept { return bits_; }
  constexpr std::uint64_t bits() const& noexcept { return bits_; }

#if SCREE_MODEL
  static constexpr std::uint32_t kMostShared = 3;  // so that the explorer comes to it
#else
  static constexpr std::uint32_t kMostShared = (1u << 13) - 1;
#endif
  static constexpr std::uint64_t kOneShared = 32;

  constexpr bool is_exclusive() const noexcept { return has(kExclusive); }
  constexpr std::uint32_t shared() const noexcept { return static_cast<std::uint32_t>((bits_ & kShared) / kOneShared); }
  constexpr bool is_free() const noexcept { return !has(kExclusive | kShared); }
  constexpr bool is_queue_locked() const noexcept { return has(kQueueLocked); }
  constexpr bool is_someone_leaving() const noexcept { return has(kLeaving); }
  constexpr bool is_killed() const noexcept { return has(kKilled); }

  // Whether somebody waits, and no thread is on its way to take the lock and pass it on.
  constexpr bool awaits_service() const noexcept { return has_waiters() && !has(kWoken); }
  // Whether who releases it now is to choose the next one.
  constexpr bool is_unserved() const noexcept { return has_waiters() && !has(kWoken | kQueueLocked); }

  constexpr bool has_waiters() const noexcept { return bits_ >> kNewestShift != 0; }
  Waiter* newest() const noexcept {
    return reinterpret_cast<Waiter*>(static_cast<std::uintptr_t>(bits_ >> kNewestShift << kAddressShift));
  }

  // Whether one more may hold it now. Readers do not overtake who waits: writers would starve.
  constexpr bool admits(LockMode mode) const noexcept {
    if (mode != LockMode::kShared) return !has(kExclusive | kShared | kKilled);
    return !has(kExclusive | kKilled) && !has_waiters() && shared() < kMostShared;
  }
  constexpr LockWord held(LockMode mode) const noexcept {
    if (mode == LockMode::kNothing) return *this;
    return mode == LockMode::kExclusive ? exclusive() : with_shared(1);
  }

  constexpr LockWord exclusive() const noexcept { return with(kExclusive); }
  constexpr LockWord without_exclusive() const noexcept { return without(kExclusive); }
  constexpr LockWord with_shared(std::uint32_t more) const noexcept { return LockWord(bits_ + more * kOneShared); }
  constexpr LockWord queue_locked() const noexcept { return with(kQueueLocked); }
  constexpr LockWord without_queue_locked() const noexcept { return without(kQueueLocked); }
  constexpr LockWord someone_woken() const noexcept { return with(kWoken); }
  constexpr LockWord without_woken() const noexcept { return without(kWoken); }
  constexpr LockWord someone_leaving() const noexcept { return with(kLeaving); }
  constexpr LockWord without_leaving() const noexcept { return without(kLeaving); }
  constexpr LockWord killed() const noexcept { return with(kKilled); }
  LockWord with_newest(const Waiter* waiter) const noexcept {
    const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(waiter));
    assert(address % (1u << kAddressShift) == 0 && address >> 48 == 0);
    return LockWord((bits_ & ((1u << kNewestShift) - 1)) | address >> kAddressShift << kNewestShift);
  }

 private:
  static constexpr std::uint64_t kExclusive = 1;
  static constexpr std::uint64_t kQueueLocked = 2;
  static constexpr std::uint64_t kWoken = 4;
  static constexpr std::uint64_t kLeaving = 8;
  static constexpr std::uint64_t kKilled = 16;
  static constexpr unsigned kNewestShift = 19;
  static constexpr std::uint64_t kShared = (1u << kNewestShift) - kOneShared;
  static_assert(kOneShared * (2 * kMostShared + 1) <= kShared);
  static constexpr unsigned kAddressShift = 3;

  constexpr bool has(std::uint64_t any) const noexcept { return (bits_ & any) != 0; }
  constexpr LockWord with(std::uint64_t bit) const noexcept { return LockWord(bits_ | bit); }
  constexpr LockWord without(std::uint64_t bit) const noexcept { return LockWord(bits_ & ~bit); }

  std::uint64_t bits_ = 0;
};

}  // namespace scree::detail

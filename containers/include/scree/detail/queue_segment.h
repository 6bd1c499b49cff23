// SPDX-License-Identifier: Apache-2.0
//
// A segment of a Queue: consecutive entries in one allocation, and who still keeps them.
//
// An entry has two owners, as TwoOwners says: its pusher's handle, and the queue, whose share passes to the popper's.
// The segment is freed when it is off the queue, no barrier can reach it, and all handles to its entries are gone.
// While it is on the queue a share is given back by a plain store into the entry, inside a barrier; after that, by
// counting. Steps and arguments: docs/protocols/queue.md.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <scree/atomic.h>
#include <scree/detail/two_owners.h>
#include <scree/ebr_barrier.h>

namespace scree::detail {

template <class T>
class QueueSegment;

// What a slot keeps to give back the two shares of its entry.
//
// Values that need no destructor: both shares keep the segment's memory, nothing more.
template <class T, bool = std::is_trivially_destructible_v<T>>
class QueueShares {
 public:
  std::uint32_t kept() const noexcept {
    return (first_gone.load(memory_order_relaxed) ? 0 : 1) + (second_gone.load(memory_order_relaxed) ? 0 : 1);
  }

  Atomic<bool> first_gone{false};
  Atomic<bool> second_gone{false};
};

// Others: the value is destroyed when both owners are gone and no barrier can reach it; then the segment's memory is no
// longer kept.
template <class T>
class QueueShares<T, false> {
 public:
  std::uint32_t kept() const noexcept { return destroyed.load(memory_order_relaxed) ? 0 : 1; }

  TwoOwners owners;
  Atomic<bool> destroyed{false};
};

// A place for one entry. Its element is there once it is kFilled, for ever (handles say how long).
template <class T>
class QueueSlot {
 public:
  enum State : std::uint8_t {
    kEmpty,
    kFilled,
    kGivenUp,  // nothing will ever be here: who took the place was too late, or failed
  };

  T& value() noexcept { return *std::launder(reinterpret_cast<T*>(storage_)); }
  const T& value() const noexcept { return *std::launder(reinterpret_cast<const T*>(storage_)); }

  template <class... Args>
  void construct(Args&&... args) {
    ::new (static_cast<void*>(storage_)) T(std::forward<Args>(args)...);
  }
  void destroy() noexcept { std::destroy_at(&value()); }

  // False if it has been given up.
  bool fill() noexcept {
    std::uint8_t empty = kEmpty;
    return state_.compare_exchange_strong(empty, kFilled, memory_order_release, memory_order_relaxed);  // [F1]
  }
  // False if it is filled.
  bool give_up() noexcept {
    std::uint8_t empty = kEmpty;
    return state_.compare_exchange_strong(empty, kGivenUp, memory_order_acquire) ||  // [F2]
           empty == kGivenUp;
  }
  State state() const noexcept { return static_cast<State>(state_.load(memory_order_acquire)); }  // [F3]
  // Gives it up if it is empty.
  bool is_filled() noexcept {
    const State now = state();
    return now == kFilled || (now == kEmpty && !give_up());
  }

  static void first_lets_go(QueueSlot* slot) noexcept;
  static void second_lets_go(QueueSlot* slot) noexcept;

 private:
  friend class QueueSegment<T>;

  // Nobody keeps it any more.
  void end() noexcept;

  Atomic<std::uint8_t> state_{kEmpty};
  QueueShares<T> shares_;
  std::uint32_t index_ = 0;
  alignas(T) std::byte storage_[sizeof(T)];
};

// The slots lie behind it in memory.
template <class T>
class QueueSegment {
 public:
  using Slot = QueueSlot<T>;

  // Throws std::bad_alloc.
  static QueueSegment* make(std::uint32_t capacity, QueueSegment* previous) {
    void* const memory = ::operator new(size_of(capacity), alignment());
    auto* const segment = ::new (memory) QueueSegment(capacity, previous);
    for (std::uint32_t n = 0; n < capacity; ++n) {
      Slot* const slot = ::new (static_cast<void*>(segment->slots() + n)) Slot;
      slot->index_ = n;
    }
    return segment;
  }
  // Nobody has seen it, or nobody keeps it.
  static void free(QueueSegment* segment) noexcept {
    for (std::uint32_t n = 0; n < segment->capacity; ++n) std::destroy_at(segment->slots() + n);
    segment->~QueueSegment();
    ::operator delete(static_cast<void*>(segment), alignment());
  }

  Slot& slot(std::uint64_t index) noexcept { return slots()[index]; }
  static QueueSegment& of(Slot& slot) noexcept {
    return *reinterpret_cast<QueueSegment*>(reinterpret_cast<std::byte*>(&slot - slot.index_) - slots_offset());
  }

  // Off the queue, with all of its entries popped, or being so inside barriers: frees it when the last handle is gone.
  void retire(const ebr::Barrier& barrier) noexcept {
    retired_.store(true, memory_order_relaxed);  // [R1] the retirement releases it
    barrier.retire(this, &count, size_of(capacity));
  }

  // Gives back what `flag` stands for: by setting it, or by counting.
  void give_back(Atomic<bool>& flag) noexcept {
    const ebr::Barrier barrier;
    if (!retired_.load(memory_order_relaxed)) {  // [R2]
      flag.store(true, memory_order_relaxed);    // [R4] count() comes after this barrier
    } else {
      add_kept(-1);
    }
  }

  // Places below are taken, by pushers and by poppers. They only grow, also beyond the capacity.
  alignas(64) Atomic<std::uint64_t> pushed{0};
  alignas(64) Atomic<std::uint64_t> popped{0};
  alignas(64) Atomic<QueueSegment*> next{nullptr};
  QueueSegment* const previous;  // there only while it is on the queue
  const std::uint64_t first;     // how many places all segments before have
  const std::uint32_t capacity;

 private:
  QueueSegment(std::uint32_t n, QueueSegment* before) noexcept
      : previous(before), first(before == nullptr ? 0 : before->first + before->capacity), capacity(n) {}
  ~QueueSegment() = default;

  static constexpr std::align_val_t alignment() noexcept {
    return std::align_val_t(alignof(QueueSegment) > alignof(Slot) ? alignof(QueueSegment) : alignof(Slot));
  }
  static constexpr std::size_t slots_offset() noexcept {
    return (sizeof(QueueSegment) + alignof(Slot) - 1) / alignof(Slot) * alignof(Slot);
  }
  static constexpr std::size_t size_of(std::uint32_t capacity) noexcept {
    return slots_offset() + capacity * sizeof(Slot);
  }
  Slot* slots() noexcept { return reinterpret_cast<Slot*>(reinterpret_cast<std::byte*>(this) + slots_offset()); }

  // After the grace period: who has not given back its share by now will count.
  static void count(void* p) {
    auto* const segment = static_cast<QueueSegment*>(p);
    std::int64_t kept = 0;
    for (std::uint32_t n = 0; n < segment->capacity; ++n) {
      Slot& slot = segment->slot(n);
      if (slot.state() == Slot::kFilled) kept += slot.shares_.kept();
    }
    segment->add_kept(kept);
  }
  // The sum comes to 0 when count() has added what is kept and all of that is given back: before, it is negative.
  void add_kept(std::int64_t by) noexcept {
    if (kept_.fetch_add(by, memory_order_acq_rel) + by == 0) free(this);  // [R3]
  }

  Atomic<bool> retired_{false};
  Atomic<std::int64_t> kept_{0};
};

template <class T>
void QueueSlot<T>::first_lets_go(QueueSlot* slot) noexcept {
  if constexpr (std::is_trivially_destructible_v<T>) {
    QueueSegment<T>::of(*slot).give_back(slot->shares_.first_gone);
  } else if (slot->shares_.owners.first_lets_go()) {
    slot->end();
  }
}

template <class T>
void QueueSlot<T>::second_lets_go(QueueSlot* slot) noexcept {
  if constexpr (std::is_trivially_destructible_v<T>) {
    QueueSegment<T>::of(*slot).give_back(slot->shares_.second_gone);
  } else {
    slot->shares_.owners.second_lets_go(
        slot,
        [](void* p) {
          auto* const of = static_cast<QueueSlot*>(p);
          if (of->shares_.owners.is_free_after_grace()) of->end();
        },
        sizeof(QueueSlot));
  }
}

template <class T>
void QueueSlot<T>::end() noexcept {
  destroy();
  QueueSegment<T>::of(*this).give_back(shares_.destroyed);
}

}  // namespace scree::detail

// SPDX-License-Identifier: Apache-2.0
//
// The state of reclamation: bags of retired objects, and each thread's place in the domain. Who may touch what, and
// when, is on docs/protocols/epoch.md; ebr_domain.h has the steps.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

#include <scree/atomic.h>
#include <scree/detail/block_cache.h>

namespace scree::ebr::detail {

#if SCREE_MODEL
inline constexpr std::uint32_t kBagCapacity = 2;
inline constexpr std::uint64_t kAdvanceEvery = 10;
inline constexpr std::uint64_t kDormantAfter = 2;
#elif SCREE_SMALL_CAPACITIES
inline constexpr std::uint32_t kBagCapacity = 4;
inline constexpr std::uint64_t kAdvanceEvery = 2;
inline constexpr std::uint64_t kDormantAfter = 4;
#else
inline constexpr std::uint32_t kBagCapacity = 60;  // below 1 KiB: glibc merges all its small blocks when asked for more
inline constexpr std::uint64_t kAdvanceEvery = 28;   // bags, where one thread retires
inline constexpr std::uint64_t kDormantAfter = 256;  // bags sealed since a thread last opened or sealed one, at least
#endif
inline constexpr std::size_t kBytesPerEpoch = 16u << 10;  // a bag counts as one, and as one more for so many bytes
inline constexpr std::size_t kBagBytes = 512u << 10;      // a bag this heavy is sealed before it is full
// A retirement frees one object, so that the allocator gets back what it gives out; so many where a backlog is to
// shrink.
inline constexpr std::uint32_t kFreedPerRetirement = 4;
inline constexpr std::uint32_t kFetchedAhead = 7;  // objects: garbage that a barrier held back has left the caches
inline constexpr std::uint32_t kAdopted = 8;       // bags of orphans that a thread appends to its own at once
inline constexpr std::uint32_t kSpares = 4;        // empty bags that a thread keeps
inline constexpr std::uint32_t kFreedPerCollect = 12 * kBagCapacity;

// What a record announces when its owner is in the domain's own code: above every epoch.
inline constexpr std::uint64_t kBusy = std::numeric_limits<std::uint64_t>::max();
inline constexpr std::uint64_t kOffered = 1;  // waiting_since: take it whenever you like
inline constexpr std::uint64_t kFirstEpoch = kOffered + 1;

// Record::claim, beside addresses of records.
inline constexpr std::uintptr_t kUnclaimed = 0;
inline constexpr std::uintptr_t kTaking = 1;

struct Retired {
  void* object;
  void (*reclaim)(void* object);
};

// Retired objects, in order. Sealed once `stamp` is set: nothing is added any more. The items lie behind it in memory.
class Bag {
 public:
  // Null if there is no memory.
  static Bag* make(std::uint32_t capacity = kBagCapacity) noexcept {
    void* const memory = ::operator new(sizeof(Bag) + capacity * sizeof(Plain<Retired>), std::nothrow);
    if (memory == nullptr) return nullptr;
    Bag* const bag = ::new (memory) Bag(capacity);
    for (std::uint32_t n = 0; n < capacity; ++n) ::new (bag->items() + n) Plain<Retired>;
    return bag;
  }
  static void destroy(Bag* bag) noexcept {
    bag->~Bag();
    ::operator delete(bag);
  }

  Plain<Retired>* items() noexcept { return reinterpret_cast<Plain<Retired>*>(this + 1); }

  void add(Retired item, std::size_t size) noexcept {
    items()[count] = item;
    ++count;
    bytes += size;
  }
  bool is_heavy() const noexcept { return bytes >= kBagBytes; }
  bool is_full() const noexcept { return count == capacity || is_heavy(); }

  void clear() noexcept {
    next = nullptr;
    bytes = 0;
    first = 0;
    count = 0;
  }

  Plain<Bag*> next = nullptr;
  Plain<std::uint64_t> stamp = 0;
  Plain<std::size_t> bytes = 0;
  Plain<std::uint32_t> first = 0;  // those before it are freed
  Plain<std::uint32_t> count = 0;
  const std::uint32_t capacity;

 private:
  explicit Bag(std::uint32_t n) noexcept : capacity(n) {}
  ~Bag() = default;
};

// Written by one thread, read by any: a number for Stats. No memory is reclaimed by it, so it is not under the
// explorer.
class Counter {
 public:
  // Release, for a reader that acquires: what was counted is done.
  void add(std::uint64_t n) noexcept { value_.store(get() + n, memory_order_release); }  // [K1]
  void set(std::uint64_t n) noexcept { value_.store(n, memory_order_relaxed); }
  std::uint64_t get(std::memory_order order = memory_order_relaxed) const noexcept { return value_.load(order); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

#if SCREE_CHECKED
class LiveBarrier;
#endif

// A thread's place in the domain. Never freed; a thread that exits leaves it for the next one.
struct alignas(128) Record {
  // 0, kBusy, or the epoch at which the outermost barrier began. Written by the owner, read by every advance.
  Atomic<std::uint64_t> announced{0};
  Plain<std::uint32_t> depth = 0;    // nesting of barriers; owner only
  Plain<std::uint32_t> number = 0;   // of the record, as they were made; owner only
  Plain<bool> fenced = false;        // the kernel refuses membarrier: announcing takes a fence; owner only
  Plain<bool> busy = false;          // in a reclaimed object's destructor or a listener: do not nest; owner only
  Plain<std::uint32_t> freeing = 0;  // 1 while an object that is on no list any more is being freed; owner only
  Plain<void (*)()> after_barriers = nullptr;  // called once at the end of the outermost barrier or Busy; owner only
  Plain<std::uint64_t> idle = 0;               // what the end of the outermost barrier announces; owner only

  // Who wants the lists below of a dormant owner: kUnclaimed, kTaking, or a collector's record.
  Atomic<std::uintptr_t> claim{kUnclaimed};
  // The lists. Held by the owner while it announces something and is not claimed, or by a claimer that is kTaking.
  Plain<Bag*> open = nullptr;
  Plain<Bag*> oldest = nullptr;  // sealed, in the order in which they were sealed or taken over
  Plain<Bag*> newest = nullptr;
  Plain<std::uint64_t> sealed = 0;  // how many
  Plain<bool> ready = false;        // the oldest was seen to be past its grace period
  Plain<Bag*> adopted = nullptr;    // taken from the domain's orphans, not yet among the sealed ones
  Plain<Bag*> spare = nullptr;      // to be used again; owner only
  Plain<std::uint32_t> spares = 0;  // how many

  scree::detail::BlockCache blocks;  // owner only

  alignas(64) Atomic<std::uint64_t> waiting_since{0};
  Counter retired_objects, retired_bytes, freed_objects, freed_bytes, leaked_objects;  // by this thread

  // The barrier that is announced, and when it was first seen: by whoever scanned last.
  Counter seen_epoch, seen_at;

  Atomic<bool> taken{true};
  Plain<Record*> next = nullptr;  // immutable once the record is listed
  // By the owner. In no barrier, and not within reclamation.
  bool is_outside() const noexcept { return depth == 0 && idle == 0; }
  [[gnu::noinline]] void run_what_waits() noexcept {
    void (*const call)() = after_barriers;
    after_barriers = nullptr;
    call();
  }

#if SCREE_CHECKED
  LiveBarrier* barriers = nullptr;  // owner only
  std::uint64_t barriers_made = 0;  // by all owners, so that no two have the same number
#endif
};

}  // namespace scree::ebr::detail

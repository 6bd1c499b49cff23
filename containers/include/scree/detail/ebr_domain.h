// SPDX-License-Identifier: Apache-2.0
//
// The reclamation domain: one per process. The protocol, its steps E1-E3 (enter, exit) and R1-R5 (retire, seal,
// collect) and the argument for each memory order are on docs/protocols/epoch.md.
//
// Progress: enter and exit are wait-free. A retirement is lock-free: every kBagCapacity of them it allocates a bag, visits the
// records and frees at most kBagsPerCollection bags, so no call frees an unbounded backlog.

#pragma once

#include <pthread.h>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

#include <scree/atomic.h>
#include <scree/detail/membarrier.h>
#include <scree/sync_point.h>

namespace scree::ebr::detail {

using scree::detail::membarrier_call;
using scree::detail::membarrier_register;

#if SCREE_SMALL_CAPACITIES
inline constexpr std::uint32_t kBagCapacity = 4;
#else
inline constexpr std::uint32_t kBagCapacity = 252;  // a bag is about a page
#endif
inline constexpr std::size_t kBagBytes = 512u << 10;  // a bag this heavy is sealed before it is full
inline constexpr int kBagsPerCollection = 3;          // more than one, so that a backlog shrinks

struct Retired {
  void* object;
  void (*reclaim)(void* object);
};

// No epoch: not above any that is announced, so a bag with this stamp is never freed.
inline constexpr std::uint64_t kNoStamp = std::numeric_limits<std::uint64_t>::max();

// What one thread retired, in order. Sealed: nothing is added any more and `stamp` is set.
struct Bag {
  Bag* next = nullptr;
  std::uint64_t stamp = kNoStamp;
  std::size_t bytes = 0;
  std::uint32_t count = 0;
  Retired items[kBagCapacity];
};

// A thread's place in the domain. Never freed; a thread that exits leaves it for the next one.
struct alignas(128) Record {
  // The epoch read on entry, or 0 outside every barrier. Written by the owner, read by every collector.
  Atomic<std::uint64_t> announced{0};
  std::uint32_t depth = 0;  // nesting of barriers; owner only
  bool collecting = false;  // owner only: a reclaimed object's destructor may retire, not collect
  Bag* open = nullptr;      // owner only
  Bag* oldest = nullptr;    // owner only: sealed bags in the order in which they were sealed or adopted
  Bag* newest = nullptr;

  Atomic<bool> taken{true};
  Record* next = nullptr;  // immutable once the record is listed
};

// Visible, so that shared objects that hide their symbols use the same one.
class [[gnu::visibility("default")]] Domain {
 public:
  // Never destroyed: threads may leave barriers during static destruction.
  static Domain& instance() {
    static Domain* const domain = new Domain;
    return *domain;
  }

  bool fenced() const noexcept { return fenced_; }
  Atomic<std::uint64_t>& epoch() noexcept { return epoch_; }

  Record* acquire_record() {
    for (Record* r = records_.load(memory_order_acquire); r != nullptr; r = r->next) {
      bool taken = false;
      if (!r->taken.load(memory_order_relaxed) &&
          r->taken.compare_exchange_strong(taken, true, memory_order_acquire, memory_order_relaxed)) {
        return r;
      }
    }
    auto* r = new Record;
    r->next = records_.load(memory_order_relaxed);
    // Acquire is for heavy_fence() under TSan.
    while (!records_.compare_exchange_weak(r->next, r, memory_order_acq_rel, memory_order_relaxed)) {
    }
    return r;
  }

  // The owner leaves for good: its garbage goes to whoever collects next.
  void release_record(Record& record) noexcept {
    assert(record.depth == 0);
    hand_over(record);
    record.taken.store(false, memory_order_release);
  }

  // Makes everything that `record` retired reclaimable by other threads.
  void hand_over(Record& record) noexcept {
    if (record.open != nullptr) seal(record);
    if (record.oldest == nullptr) return;
    record.newest->next = orphans_.load(memory_order_relaxed);
    while (!orphans_.compare_exchange_weak(record.newest->next, record.oldest, memory_order_release,
                                           memory_order_relaxed)) {
    }
    record.oldest = record.newest = nullptr;
  }

  // R1. `object` is already unreachable for barriers that begin from now on. If no memory can be had for the
  // bag, the object is leaked rather than reclaimed too early.
  void retire(Record& record, Retired item, std::size_t bytes) noexcept {
    if (record.open == nullptr) {
      record.open = new (std::nothrow) Bag;
      if (record.open == nullptr) return;
    }
    Bag& bag = *record.open;
    bag.items[bag.count++] = item;
    bag.bytes += bytes;
    if (bag.count == kBagCapacity || bag.bytes >= kBagBytes) {
      if (!record.collecting) adopt_orphans(record);
      seal(record);
      if (!record.collecting) collect(record);
    }
  }

  // Seals what is open, then frees at most kBagsPerCollection bags whose grace period is over. True if garbage
  // of this thread or of those that handed theirs over remains.
  bool seal_and_collect(Record& record) noexcept {
    if (record.collecting) return true;
    adopt_orphans(record);
    if (record.open != nullptr) seal(record);
    collect(record);
    return record.oldest != nullptr || record.open != nullptr || orphans_.load(memory_order_relaxed) != nullptr;
  }

 private:
  Domain() : fenced_(!membarrier_register()) {}

  // After it, every thread's accesses are split: those before the split are visible here, those after see all that was
  // written before the call. False if the kernel refused it.
  bool heavy_fence() noexcept {
#if SCREE_UNDER_TSAN
    // TSan sees no fences: a read-modify-write on the list and on each record orders the same way (docs/protocols/epoch.md).
    for (Record* r = records_.fetch_add(0, memory_order_acq_rel); r != nullptr; r = r->next) {
      r->announced.fetch_add(0, memory_order_acq_rel);
    }
    return true;
#else
    if (!fenced_) return membarrier_call();
    std::atomic_thread_fence(memory_order_seq_cst);
    return true;
#endif
  }

  // R2-R3: first the fence, then the stamp. A refused fence (a sandbox that was entered after the start) gives no stamp:
  // the bag waits, and collect() tries again.
  std::uint64_t fenced_stamp() noexcept {
    if (!heavy_fence()) return kNoStamp;
    SCREE_SYNC_POINT("ebr:seal:fenced");
    return epoch_.fetch_add(1, memory_order_acq_rel);
  }

  void seal(Record& record) noexcept {
    Bag* bag = record.open;
    bag->stamp = fenced_stamp();
    record.open = nullptr;
    append(record, bag);
  }

  static void append(Record& record, Bag* bag) noexcept {
    bag->next = nullptr;
    (record.oldest == nullptr ? record.oldest : record.newest->next) = bag;
    record.newest = bag;
  }

  // Takes as many as a collection frees; the rest is put back for others, in one piece, unless more has come meanwhile.
  void adopt_orphans(Record& record) noexcept {
    if (orphans_.load(memory_order_relaxed) == nullptr) return;
    Bag* bag = orphans_.exchange(nullptr, memory_order_acquire);
    for (int n = 1; bag != nullptr; ++n) {
      Bag* const next = bag->next;
      append(record, bag);
      bag = next;
      Bag* none = nullptr;
      if (n == kBagsPerCollection && bag != nullptr &&
          orphans_.compare_exchange_strong(none, bag, memory_order_release, memory_order_relaxed)) {
        return;
      }
    }
  }

  // R4-R5. The scan comes after the fence of every bag that it frees, also of one that another thread sealed.
  void collect(Record& record) noexcept {
    if (record.oldest != nullptr && record.oldest->stamp == kNoStamp) record.oldest->stamp = fenced_stamp();
    SCREE_SYNC_POINT("ebr:collect:scan");
    std::uint64_t oldest_active = kNoStamp;
    for (Record* r = records_.load(memory_order_acquire); r != nullptr; r = r->next) {
      const std::uint64_t e = r->announced.load(memory_order_acquire);
      if (e != 0 && e < oldest_active) oldest_active = e;
    }
    record.collecting = true;
    for (int i = 0; i < kBagsPerCollection; ++i) {
      Bag* bag = record.oldest;
      if (bag == nullptr || bag->stamp >= oldest_active) break;
      record.oldest = bag->next;
      if (record.oldest == nullptr) record.newest = nullptr;
      for (std::uint32_t n = 0; n < bag->count; ++n) bag->items[n].reclaim(bag->items[n].object);
      delete bag;
    }
    record.collecting = false;
  }

  const bool fenced_;  // the kernel refuses membarrier: readers pay a fence
  alignas(128) Atomic<std::uint64_t> epoch_{1};
  alignas(128) Atomic<Record*> records_{nullptr};
  Atomic<Bag*> orphans_{nullptr};
};

// The calling thread's record, or null before its first barrier. Constant-initialised: no guard on the way in.
[[gnu::visibility("default")]] inline constinit thread_local Record* this_record = nullptr;

// Hands the record over when its thread exits. A pthread key rather than a thread_local object: its destructor runs after
// those of all thread_local objects, which may still use barriers.
[[gnu::visibility("default")]] inline pthread_key_t thread_exit_key() {
  static const pthread_key_t key = [] {
    pthread_key_t k{};
    const int error = ::pthread_key_create(&k, [](void* record) {
      this_record = nullptr;
      Domain::instance().release_record(*static_cast<Record*>(record));
    });
    if (error != 0) throw std::bad_alloc();
    return k;
  }();
  return key;
}

[[gnu::noinline]] inline Record* register_thread() {
  const pthread_key_t key = thread_exit_key();
  Record* record = Domain::instance().acquire_record();
  if (::pthread_setspecific(key, record) != 0) {
    Domain::instance().release_record(*record);
    throw std::bad_alloc();
  }
  this_record = record;
  return record;
}

inline Record& current_record() {
  Record* record = this_record;
  return record != nullptr ? *record : *register_thread();
}

// E1-E2: load the epoch, announce it. What follows stays behind the announcement as far as a heavy fence can tell. The release
// costs nothing on x86: a collector that reads it has also seen the end of the thread's earlier barriers.
inline void enter(Record& record) noexcept {
  if (record.depth++ != 0) return;
  Domain& domain = Domain::instance();
  const std::uint64_t epoch = domain.epoch().load(memory_order_relaxed);
#if SCREE_UNDER_TSAN
  record.announced.exchange(epoch, memory_order_acq_rel);
#else
  record.announced.store(epoch, memory_order_release);
  if (domain.fenced()) [[unlikely]] {
    std::atomic_thread_fence(memory_order_seq_cst);
  } else {
    std::atomic_signal_fence(memory_order_seq_cst);
  }
#endif
}

// E3.
inline void exit(Record& record) noexcept {
  if (--record.depth != 0) return;
#if SCREE_UNDER_TSAN
  record.announced.exchange(0, memory_order_acq_rel);  // a plain store would cut the chain of read-modify-writes
#else
  record.announced.store(0, memory_order_release);
#endif
}

}  // namespace scree::ebr::detail

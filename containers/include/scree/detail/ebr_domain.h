// SPDX-License-Identifier: Apache-2.0
//
// The reclamation domain, one per process: retired objects are freed once every barrier that could have reached them
// has ended. The protocol, its steps (numbered in brackets here) and the argument for each memory order are on
// docs/protocols/epoch.md.
//
// Thread safety: each Record is its owner's; the functions that take one are called by its owner only.
// Progress: enter and exit are wait-free, all else is lock-free, allocation aside. No call frees an unbounded backlog.

#pragma once

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <scree/atomic.h>
#include <scree/detail/ebr_record.h>
#include <scree/detail/lock_core.h>
#include <scree/detail/platform.h>
#include <scree/ebr_stats.h>
#include <scree/sync_point.h>

namespace scree::ebr {

namespace detail {

class Domain {
 public:
  constexpr Domain() noexcept = default;
#if SCREE_MODEL
  ~Domain() { forget_all(); }
#endif

  void enter(Record& record) noexcept {
    if (record.depth++ != 0) return;
    announce(record, epoch_.load(memory_order_acquire));  // [E1]
  }

  static void exit(Record& record) noexcept {
    if (--record.depth == 0) withdraw(record);
  }

  // Announces that the calling thread uses its record, for as long as one lives, without holding back any garbage.
  class Busy {
   public:
    explicit Busy(Record& record) noexcept : record_(record), before_(record.idle) {
      record.idle = kBusy;
      if (record.depth == 0 && before_ == 0) announce(record, kBusy);
    }
    ~Busy() {
      record_.idle = before_;
      if (!record_.is_outside()) return;
      withdraw(record_);
      if (record_.after_barriers != nullptr) [[unlikely]]
        record_.run_what_waits();
    }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    Record& record_;
    const std::uint64_t before_;
  };

  // Frees `item` later: it is already unreachable for barriers that begin from now on. Inside a barrier, or Busy. If no
  // memory can be had for it, it is leaked rather than reclaimed too early.
  void retire(Record& record, Retired item, std::size_t bytes) noexcept {
    record.retired_objects.add(1);
    record.retired_bytes.add(bytes);
    if (!holds_lists(record)) [[unlikely]] {
      retire_aside(record, item, bytes);
      return;
    }
    if (record.open == nullptr) [[unlikely]] {
      // Memory for a bag may come from a new_handler that collects, and so ends the barrier that holds the lists, as
      // below.
      const Busy here(record);
      if (open_bag(record) == nullptr) {
        leak(record, bytes);
      } else {
        add(record, item, bytes);
      }
      return;
    }
    add(record, item, bytes);
  }

  // Tries to end the grace period of everything retired so far, by this thread and by idle ones, and frees a bounded
  // part of what is past it. True if anything in the domain still waits.
  bool collect(Record& record) noexcept {
    if (record.busy) return true;
    {
      const Busy here(record);
      if (!holds_lists(record)) return true;
      adopt_orphans(record);
      if (record.open != nullptr) seal(record);
      advance(record, true);
      free_some(record, kFreedPerCollect);
    }
    if (anything_waits()) return true;
    record.blocks.flush();
    return false;
  }

  // Lets whoever advances next take what `record` retired, and gives back the memory that it keeps.
  void offer(Record& record) noexcept {
    record.blocks.flush();
    const Busy here(record);
    if (holds_lists(record)) {
      if (record.open != nullptr) seal(record);
      if (record.oldest == nullptr && record.adopted == nullptr) return;
    }
    record.waiting_since.store(kOffered, memory_order_relaxed);  // [H1] what is being taken is no worse for it
  }

  // For those who know by themselves when what they set aside may be used again: the epoch in which that was, if it had
  // been done before the call, and whether every barrier that began in it or before has ended.
  std::uint64_t begin_period() noexcept { return epoch_.fetch_add(1, memory_order_acq_rel); }              // [G1]
  bool is_past(std::uint64_t epoch) const noexcept { return epoch < grace_.load(memory_order_acquire); }  // [G2]
  // Ends the grace period of what was set aside before, as far as no barrier holds it back. Costs an interruption of
  // every running thread of the process.
  void advance_now(Record& record) noexcept {
    if (record.busy) return;
    const Busy here(record);
    if (holds_lists(record)) advance(record, false);
  }

  // Threads that ask are numbered: a hint for structures that give each of them a place of its own.
  std::uint32_t next_thread_number() noexcept { return threads_.fetch_add(1, memory_order_relaxed); }

  // One of the locks of threads' ready lists (ready_list.h), which outlive the threads.
  scree::detail::LockCore& ready_lock(std::size_t hash) noexcept { return ready_locks_[hash % kReadyLocks].lock; }

  // A record for the calling thread. May throw std::bad_alloc.
  Record& acquire_record(bool fenced) {
    Record* record = nullptr;
    for (Record* r = first_record(); r != nullptr && record == nullptr; r = r->next) {
      bool taken = false;
      if (!r->taken.load(memory_order_relaxed) &&
          r->taken.compare_exchange_strong(taken, true, memory_order_acquire, memory_order_relaxed)) {  // [T1]
        record = r;
      }
    }
    if (record == nullptr) {
      record = new Record;
      record->number = records_made_.fetch_add(1, memory_order_relaxed);
      Record* first = records_.load(memory_order_relaxed);
      do {
        record->next = first;
        // Acquire is for heavy_fence() under TSan.
      } while (!records_.compare_exchange_weak(first, record, memory_order_acq_rel, memory_order_relaxed));  // [L1]
    }
    record->fenced = fenced;
    return *record;
  }

  // The owner leaves for good.
  void release_record(Record& record) noexcept {
    assert(record.depth == 0 && "a thread ended inside a barrier");
    offer(record);
    record.taken.store(false, memory_order_release);  // [T2]
  }

  Stats stats() noexcept {
    Stats stats;
    // A barrier that begins from now on announces a later epoch than any seen before: seen_at tells them apart.
    const std::uint64_t epoch = epoch_.fetch_add(1, memory_order_acq_rel);  // [K2]
    const std::uint64_t now = scree::detail::now_nanoseconds();
    for (Record* r = first_record(); r != nullptr; r = r->next) {
      observe(*r, r->announced.load(memory_order_acquire), epoch, now);  // [K2]
    }
    fill(stats, epoch, now);
    return stats;
  }

  // Installs a listener, or none; returns the one before, which may still be in use by barriers held now.
  BacklogListener* exchange_listener(BacklogListener* listener) noexcept {
    return listener_.exchange(listener, memory_order_acq_rel);  // [N1]
  }

  // In the child of a fork, where `own` (null if it had none) belongs to the only thread: docs/protocols/epoch.md,
  // Fork.
  void keep_only(Record* own) noexcept {
    records_.store(own, memory_order_relaxed);
    orphans_.store(nullptr, memory_order_relaxed);
    due_.store(0, memory_order_relaxed);
    for (ReadyLock& ready : ready_locks_) ::new (&ready) ReadyLock;
    if (own == nullptr) return;
    own->next = nullptr;
    if (own->claim.exchange(kUnclaimed, memory_order_relaxed) == kTaking) {
      own->open = nullptr;
      own->adopted = nullptr;
      forget_sealed(*own);
    }
    recount(*own);
  }

 private:
  void add(Record& record, Retired item, std::size_t bytes) noexcept {
    Bag* const bag = record.open;
    bag->add(item, bytes);
    const bool full = bag->is_full();
    if (full || record.ready) {
      // A destructor or listener may end the barrier that holds the lists for this call.
      const Busy here(record);
      if (full) close_bag(record);
      if (record.ready && !record.busy) free_next(record);
    }
  }

  static void announce(Record& record, std::uint64_t value) noexcept {
#if SCREE_UNDER_TSAN
    record.announced.exchange(value, memory_order_acq_rel);
#else
    record.announced.store(value, memory_order_release);  // [E2]
    if (record.fenced) [[unlikely]] {
      thread_fence(memory_order_seq_cst);  // [E2f]
    } else {
      compiler_fence();  // [E2f]
    }
#endif
  }

  static void withdraw(Record& record) noexcept {
#if SCREE_UNDER_TSAN
    record.announced.exchange(record.idle,
                              memory_order_acq_rel);  // a plain store would cut the chain of read-modify-writes
#else
    record.announced.store(record.idle, memory_order_release);  // [E3]
#endif
  }

  // True if the calling owner may use its lists, which holds until it announces 0.
  static bool holds_lists(Record& record) noexcept {
    std::uintptr_t claim = record.claim.load(memory_order_acquire);  // [R1]
    if (claim == kUnclaimed) [[likely]]
      return true;
    if (claim == kTaking) return false;
    const bool taken_back = record.claim.compare_exchange_strong(claim, kUnclaimed, memory_order_acquire);  // [C4]
    return taken_back || claim == kUnclaimed;
  }

  static void leak(Record& record, std::size_t bytes) noexcept {
    record.leaked_objects.add(1);
    record.freed_bytes.add(bytes);
  }

  [[gnu::noinline]] Bag* open_bag(Record& record) noexcept {
    Bag* bag = record.spare;
    if (bag != nullptr) {
      record.spare = bag->next;
      --record.spares;
      bag->clear();
    } else {
      bag = Bag::make();
      if (record.open != nullptr) {  // by a new_handler that collected
        if (bag != nullptr) Bag::destroy(bag);
        return record.open;
      }
    }
    record.open = bag;
    if (bag != nullptr) record.waiting_since.store(epoch_.load(memory_order_relaxed), memory_order_relaxed);  // [H1]
    return bag;
  }

  static void append(Record& record, Bag* first, Bag* last, std::uint64_t bags) noexcept {
    (record.oldest == nullptr ? record.oldest : record.newest->next) = first;
    record.newest = last;
    record.sealed += bags;
    record.waiting_since.store(last->stamp, memory_order_relaxed);  // [H1]
  }

  static void forget_sealed(Record& record) noexcept {
    record.oldest = nullptr;
    record.newest = nullptr;
    record.sealed = 0;
    record.ready = false;
  }

  // How much a bag brings the next advance nearer.
  std::uint64_t weight(const Bag& bag) const noexcept {
    return bag.is_heavy() ? pace() : 1 + bag.bytes / kBytesPerEpoch;
  }

  std::uint64_t stamp(Bag& bag) noexcept {
    SCREE_SYNC_POINT("ebr:seal");
    bag.stamp = epoch_.fetch_add(weight(bag), memory_order_acq_rel);  // [S1]
    return bag.stamp;
  }

  // By whoever holds the lists of `record`.
  std::uint64_t seal(Record& record) noexcept {
    Bag* const bag = record.open;
    record.open = nullptr;
    const std::uint64_t sealed_at = stamp(*bag);
    append(record, bag, bag, 1);
    return sealed_at;
  }

  [[gnu::noinline]] void close_bag(Record& record) noexcept {
    adopt_orphans(record);
    const std::uint64_t sealed_at = seal(record);
    if (record.busy) return;
    std::uint64_t due = due_.load(memory_order_relaxed);
    if (sealed_at >= due && due_.compare_exchange_strong(due, sealed_at + pace(), memory_order_relaxed)) {  // [S2]
      advance(record, false);
      // By the pace that it found.
      due = due_.load(memory_order_relaxed);
      if (due > sealed_at + pace())
        due_.compare_exchange_strong(due, sealed_at + pace(), memory_order_relaxed);  // [S2]
    }
    record.ready = record.oldest->stamp < grace_.load(memory_order_acquire);  // [F1]
  }

  // While a collector takes the lists.
  [[gnu::noinline]] void retire_aside(Record& record, Retired item, std::size_t bytes) noexcept {
    Bag* const bag = Bag::make(1);
    if (bag == nullptr) {
      leak(record, bytes);
      return;
    }
    bag->add(item, bytes);
    stamp(*bag);
    Bag* first = orphans_.load(memory_order_relaxed);
    do {
      bag->next = first;
    } while (!orphans_.compare_exchange_weak(first, bag, memory_order_release, memory_order_relaxed));  // [O1]
  }

  // A bounded part of what was retired aside.
  void adopt_orphans(Record& record) noexcept {
    if (record.adopted == nullptr) {
      if (orphans_.load(memory_order_relaxed) == nullptr) return;
      record.adopted = orphans_.exchange(nullptr, memory_order_acquire);  // [O2]
    }
    for (std::uint32_t n = 0; n < kAdopted && record.adopted != nullptr; ++n) {
      Bag* const bag = record.adopted;
      record.adopted = bag->next;
      bag->next = nullptr;
      append(record, bag, bag, 1);
    }
  }

  // Ends the grace period of every bag sealed before, as far as no barrier that is held holds it back. By an owner that
  // holds its lists; takes those of dormant threads, in `everything` those of all idle ones.
  void advance(Record& self, bool everything) noexcept {
    const std::uint64_t sealed_before = epoch_.fetch_add(1, memory_order_acq_rel);  // [A1]
    SCREE_SYNC_POINT("ebr:advance:begun");
    const auto me = reinterpret_cast<std::uintptr_t>(&self);
    const std::uint64_t dormant_after = kDormantAfter > 4 * pace() ? kDormantAfter : 4 * pace();
    const std::uint64_t last = last_advance_.exchange(sealed_before, memory_order_relaxed);
    std::uint64_t retiring = 0;
    for (Record* r = first_record(); r != nullptr; r = r->next) {
      const std::uint64_t since = r->waiting_since.load(memory_order_relaxed);  // [H1]
      if (since == 0) continue;
      if (since != kOffered && since >= last) ++retiring;
      if (!everything && since != kOffered && since + dormant_after > sealed_before) continue;
      if (r->announced.load(memory_order_relaxed) != 0) continue;  // [H2]
      std::uintptr_t unclaimed = kUnclaimed;
      r->claim.compare_exchange_strong(unclaimed, me, memory_order_acquire, memory_order_relaxed);  // [C1]
    }
    set_pace(retiring);
    const bool fenced = heavy_fence(self);
    SCREE_SYNC_POINT("ebr:advance:fenced");
    const std::uint64_t now = scree::detail::now_nanoseconds();
    std::uint64_t oldest = sealed_before;
    for (Record* r = first_record(); r != nullptr; r = r->next) {
      const std::uint64_t announced = r->announced.load(memory_order_acquire);  // [A3]
      if (announced != 0 && announced < oldest) oldest = announced;
      if (r->claim.load(memory_order_relaxed) == me) settle_claim(self, *r, fenced && announced == 0);  // [H3]
      observe(*r, announced, sealed_before, now);
    }
    if (fenced) raise_grace(oldest);
    tell_listener(self, sealed_before, now);
  }

  // How many bags may be sealed until the next advance is due. A heavy fence interrupts every running thread, so the
  // more threads retire, the more garbage each fence must be worth. Each of them then has at most twice its share of
  // that waiting, or a backlog.
  std::uint64_t pace() const noexcept { return pace_.load(memory_order_relaxed); }
  // `threads` have opened or sealed a bag since the last advance.
  void set_pace(std::uint64_t threads) noexcept {
    threads = threads == 0 ? 1 : threads;
    const std::uint64_t share = kAdvanceEvery * (threads < 4 ? threads : 4);
    pace_.store(threads * share, memory_order_relaxed);
    backlog_.store(2 * share, memory_order_relaxed);
  }

  // After it, every thread's accesses are split: those before the split are visible here, those after see all that was
  // written before the call. False if the kernel refused it.
  bool heavy_fence(Record& self) noexcept {
#if SCREE_UNDER_TSAN
    // It sees no fences: a read-modify-write on the list and on each record orders the same way.
    (void)self;
    for (Record* r = records_.fetch_add(0, memory_order_acq_rel); r != nullptr; r = r->next) {
      r->announced.fetch_add(0, memory_order_acq_rel);
    }
    return true;
#else
    if (!self.fenced) return scree::detail::membarrier_call();  // [A2]
    thread_fence(memory_order_seq_cst);                         // [A2]
    return true;
#endif
  }

  void raise_grace(std::uint64_t to) noexcept {
    std::uint64_t grace = grace_.load(memory_order_relaxed);
    while (grace < to &&
           !grace_.compare_exchange_weak(grace, to, memory_order_release, memory_order_relaxed)) {  // [A4]
    }
  }

  // The owner may have taken its lists back since, or another collector may have claimed them.
  void settle_claim(Record& self, Record& record, bool idle) noexcept {
    auto mine = reinterpret_cast<std::uintptr_t>(&self);
    if (!idle) {
      record.claim.compare_exchange_strong(mine, kUnclaimed, memory_order_relaxed);  // [C5]
      return;
    }
    if (!record.claim.compare_exchange_strong(mine, kTaking, memory_order_relaxed)) return;  // [C2]
    SCREE_SYNC_POINT("ebr:taking");
    if (record.open != nullptr) seal(record);
    if (record.oldest != nullptr) {
      append(self, record.oldest, record.newest, record.sealed);
      forget_sealed(record);
    }
    if (record.adopted != nullptr && self.adopted == nullptr) {
      std::swap(self.adopted, record.adopted);
      self.waiting_since.store(epoch_.load(memory_order_relaxed), memory_order_relaxed);  // [H1]
    }
    if (record.adopted == nullptr) record.waiting_since.store(0, memory_order_relaxed);  // [H1]
    record.claim.store(kUnclaimed, memory_order_release);                                // [C3]
  }

  // Frees the first object of the oldest bag, which is ready.
  void free_next(Record& record) noexcept {
    Bag* const bag = record.oldest;
    free_first(record, *bag);
    const bool backlog = record.sealed > backlog_.load(memory_order_relaxed);
    if (bag->first == bag->count || backlog) [[unlikely]]
      free_some(record, backlog ? kFreedPerRetirement - 1 : 0);
  }

  // Frees up to `most` objects, and the bags that are empty.
  [[gnu::noinline]] void free_some(Record& record, std::uint32_t most) noexcept {
    const std::uint64_t grace = grace_.load(memory_order_acquire);  // [F1]
    for (Bag* bag = record.oldest; bag != nullptr && bag->stamp < grace; bag = record.oldest) {
      for (; bag->first != bag->count && most != 0; --most) free_first(record, *bag);
      if (bag->first != bag->count) break;
      record.freed_bytes.add(bag->bytes);
      record.oldest = bag->next;
      if (record.oldest == nullptr) record.newest = nullptr;
      --record.sealed;
      recycle(record, bag);
    }
    record.ready = record.oldest != nullptr && record.oldest->stamp < grace;
    if (record.oldest == nullptr && record.open == nullptr && record.adopted == nullptr) {
      record.waiting_since.store(0, memory_order_relaxed);  // [H1]
    }
  }

  // Within Busy.
  static void free_first(Record& record, Bag& bag) noexcept {
    const Retired item = bag.items()[bag.first];
    ++bag.first;
    if (bag.first + kFetchedAhead < bag.count) {
      const Retired later = bag.items()[bag.first + kFetchedAhead];
      __builtin_prefetch(later.object, 1);
    }
    record.busy = true;
    record.freeing = 1;
    item.reclaim(item.object);
    record.freeing = 0;
    record.busy = false;
    record.freed_objects.add(1);
  }

  // If not, all that reclaiming did happens before.
  bool anything_waits() const noexcept {
    std::uint64_t retired = 0, freed = 0;
    for (Record* r = first_record(); r != nullptr; r = r->next) {
      retired += r->retired_objects.get();
      freed += r->freed_objects.get(memory_order_acquire) + r->leaked_objects.get();  // [K1]
    }
    return retired != freed;
  }

  static void recycle(Record& record, Bag* bag) noexcept {
    if (record.spares < kSpares && bag->capacity == kBagCapacity) {
      bag->next = record.spare;
      record.spare = bag;
      ++record.spares;
    } else {
      Bag::destroy(bag);
    }
  }

  // By a scan that found `epoch` and left a later one. What announces a later one began since, and the next barrier may
  // announce the same: such ones wait for the next scan.
  static void observe(Record& record, std::uint64_t announced, std::uint64_t epoch, std::uint64_t now) noexcept {
    if (announced > epoch) announced = 0;
    if (record.seen_epoch.get() == announced) return;
    record.seen_at.set(now);
    record.seen_epoch.set(announced);
  }

  void fill(Stats& stats, std::uint64_t epoch, std::uint64_t now) noexcept {
    std::uint64_t freed_objects = 0, freed_bytes = 0;
    stats.epoch = epoch;
    for (Record* r = first_record(); r != nullptr; r = r->next) {
      freed_objects += r->freed_objects.get();
      freed_bytes += r->freed_bytes.get();
      stats.leaked_objects += r->leaked_objects.get();
      stats.pending_objects += r->retired_objects.get();
      stats.pending_bytes += r->retired_bytes.get();
      stats.threads += r->taken.load(memory_order_relaxed) ? 1 : 0;
      const std::uint64_t began = r->seen_epoch.get();
      const std::uint64_t seen_at = r->seen_at.get();
      if (began == 0 || began >= epoch) continue;
      if (epoch - began > stats.oldest_barrier_epochs) stats.oldest_barrier_epochs = epoch - began;
      if (now > seen_at && now - seen_at > stats.oldest_barrier_nanoseconds) {
        stats.oldest_barrier_nanoseconds = now - seen_at;
      }
    }
    freed_objects += stats.leaked_objects;
    // A free may be counted before the retirement that it belongs to was read.
    stats.pending_objects -= freed_objects < stats.pending_objects ? freed_objects : stats.pending_objects;
    stats.pending_bytes -= freed_bytes < stats.pending_bytes ? freed_bytes : stats.pending_bytes;
  }

  // The listener runs as a reclaimed object's destructor does: it may use the domain.
  void tell_listener(Record& self, std::uint64_t epoch, std::uint64_t now) noexcept {
    if (listener_.load(memory_order_relaxed) == nullptr) return;                   // [N3]
    enter(self);                                                                   // an exchanged listener is retired
    if (BacklogListener* const listener = listener_.load(memory_order_acquire)) {  // [N2]
      Stats stats;
      fill(stats, epoch, now);
      if (listener->notices(stats)) {
        const Busy here(self);
        const bool before = self.busy;
        self.busy = true;
        listener->call(listener->context, stats);
        self.busy = before;
      }
    }
    exit(self);
  }

  Record* first_record() const noexcept { return records_.load(memory_order_acquire); }  // [L2]

  static void recount(Record& own) noexcept {
    std::uint64_t objects = 0, bytes = 0;
    const auto add = [&](Bag* bag) {
      objects += bag->count - bag->first;
      bytes += bag->bytes;
    };
    if (own.open != nullptr) add(own.open);
    for (Bag* bag = own.oldest; bag != nullptr; bag = bag->next) add(bag);
    for (Bag* bag = own.adopted; bag != nullptr; bag = bag->next) add(bag);
    own.retired_objects.set(objects + own.freeing);
    own.retired_bytes.set(bytes);
    own.freed_objects.set(0);
    own.freed_bytes.set(0);
    own.leaked_objects.set(0);
  }

#if SCREE_MODEL
  // The explorer makes a domain for each execution; what still waits in it is not its concern.
  void forget_all() noexcept {
    const auto forget = [](Bag* bag) {
      while (bag != nullptr) {
        Bag* const next = bag->next;
        Bag::destroy(bag);
        bag = next;
      }
    };
    forget(orphans_.load(memory_order_acquire));
    for (Record* r = first_record(); r != nullptr;) {
      forget(r->open);
      forget(r->spare);
      forget(r->oldest);
      forget(r->adopted);
      Record* const next = r->next;
      delete r;
      r = next;
    }
  }
#endif

  alignas(128) Atomic<std::uint64_t> epoch_{kFirstEpoch};
  alignas(128) Atomic<std::uint64_t> grace_{0};
  Atomic<std::uint64_t> due_{0};
  // In bags. Any values are right: not under the explorer.
  std::atomic<std::uint64_t> pace_{kAdvanceEvery};
  std::atomic<std::uint64_t> backlog_{2 * kAdvanceEvery};
  std::atomic<std::uint64_t> last_advance_{0};
  std::atomic<std::uint32_t> records_made_{0};
  alignas(128) Atomic<Record*> records_{nullptr};
  Atomic<Bag*> orphans_{nullptr};
  Atomic<std::uint32_t> threads_{0};
  struct alignas(64) ReadyLock {
    scree::detail::LockCore lock;
  };
#if SCREE_MODEL
  static constexpr std::size_t kReadyLocks = 2;  // ReadyList says whose
#else
  static constexpr std::size_t kReadyLocks = 16;
#endif
  ReadyLock ready_locks_[kReadyLocks];
  Atomic<BacklogListener*> listener_{nullptr};
};

}  // namespace detail
}  // namespace scree::ebr

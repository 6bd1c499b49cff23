// SPDX-License-Identifier: Apache-2.0
//
// CommitClock: numbers commits, publishes them in the order of their numbers, and knows which numbers readers may
// still read at. Protocols: docs/protocols/commit.md (steps C1-C7) and docs/protocols/snapshot.md (steps T1-T4, P1-P3).

#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <scree/atomic.h>
#include <scree/sync_point.h>

namespace scree {

using Sequence = std::uint64_t;

// A commit's place in the order: it follows the commit that ends at `previous_end`; `sequence` is its number. Numbers
// come from begin() or, in an engine, from the log's positions, never from both for one clock.
struct CommitTicket {
  Sequence previous_end;
  Sequence sequence;
};

class CommitClock {
 public:
  // Nothing later than `start` is visible yet.
  explicit CommitClock(Sequence start = 0) : visible_(start), issued_(start) {}
  ~CommitClock() {
    for (Block* block = first_.next.load(memory_order_acquire); block != nullptr;) {
      Block* next = block->next.load(memory_order_acquire);
      delete block;
      block = next;
    }
  }
  CommitClock(const CommitClock&) = delete;
  CommitClock& operator=(const CommitClock&) = delete;

  // For recovery, before anything is committed or read: what came before ends at `start`.
  void start_at(Sequence start) noexcept {
    visible_.store(start, memory_order_release);
    issued_.store(start, memory_order_relaxed);
  }

  // Every commit numbered up to here is complete and visible; none above is. Wait-free. Never decreases.
  Sequence visible() const noexcept { return visible_.load(memory_order_acquire); }

  // C3. The next number. Whoever takes one must complete it, and can no longer fail. Wait-free.
  CommitTicket begin() noexcept {
    const Sequence previous = issued_.fetch_add(1, memory_order_relaxed);
    return {previous, previous + 1};
  }

  // C6. All of the commit's versions are linked. Returns when it is visible; parks while earlier commits are under way.
  void complete(CommitTicket ticket) noexcept {
    Pending self{ticket, nullptr};
    SCREE_SYNC_POINT("clock:complete");
    std::unique_lock<std::mutex> guard(mutex_);
    Sequence visible = visible_.load(memory_order_relaxed);
    if (visible != ticket.previous_end) {
      self.next = pending_;
      pending_ = &self;
      SCREE_SYNC_POINT("clock:parked");
      published_.wait(guard, [&] { return visible_.load(memory_order_relaxed) >= ticket.sequence; });
      return;
    }
    visible = ticket.sequence;
    const bool others = pending_ != nullptr || awaiting_ != 0;
    while (take_pending_after(visible)) {
    }
    visible_.store(visible, memory_order_release);
    guard.unlock();
    if (others) published_.notify_all();
  }

  // Parks until visible() >= sequence.
  void await_visible(Sequence sequence) noexcept {
    std::unique_lock<std::mutex> guard(mutex_);
    ++awaiting_;
    SCREE_SYNC_POINT("clock:parked");
    published_.wait(guard, [&] { return visible_.load(memory_order_relaxed) >= sequence; });
    --awaiting_;
  }

  // P1-P2. The oldest number that any snapshot, held or about to be taken, can read at: of each key, the newest version
  // not above it and everything newer must be kept. O(snapshots ever held at once).
  Sequence horizon() const noexcept {
    Sequence oldest = visible_.load(memory_order_acquire);  // P1
    SCREE_SYNC_POINT("clock:horizon:visible");
    fence();  // P2: pairs with T2
    for (const Block* block = &first_; block != nullptr; block = block->next.load(memory_order_acquire)) {
      const std::size_t used = block->used.load(memory_order_acquire);
      for (std::size_t i = 0; i < used; ++i) {
        const std::uint64_t held = block->slots[i].held.load(memory_order_acquire);
        if (held != kFree && held - 1 < oldest) oldest = held - 1;
        SCREE_SYNC_POINT("clock:horizon:scanned");
      }
    }
    return oldest;
  }

 private:
  friend class SnapshotBarrier;

  // A commit that waits for an earlier one; lives on its thread's stack.
  struct Pending {
    CommitTicket ticket;
    Pending* next;
  };

  static constexpr std::uint64_t kFree = 0;

  // What one snapshot holds. Its copies share the slot: one that moved to a slot which a pruner has passed already
  // would be missed when the original goes before the pruner reaches it.
  struct Slot {
    Atomic<std::uint64_t> held{kFree};  // the number held, plus one
    Atomic<std::size_t> handles{0};
  };

  struct Block {
    std::array<Slot, 31> slots{};
    Atomic<std::size_t> used{0};  // slots from here on were never taken
    Atomic<Block*> next{nullptr};
  };

  // T2, P2. Of two threads that pass here, the later one sees what the earlier one wrote, or saw written, before it.
  void fence() const noexcept {
#if SCREE_UNDER_TSAN
    fence_.fetch_add(0, memory_order_seq_cst);  // it sees no fences
#else
    std::atomic_thread_fence(memory_order_seq_cst);
#endif
  }

  bool take_pending_after(Sequence& visible) noexcept {
    for (Pending** link = &pending_; *link != nullptr; link = &(*link)->next) {
      if ((*link)->ticket.previous_end == visible) {
        visible = (*link)->ticket.sequence;
        *link = (*link)->next;
        return true;
      }
    }
    return false;
  }

  // T1. A slot that holds `number` from the moment it is taken. Allocates only when more are held at once than ever
  // before.
  Slot& take_slot(Sequence number) {
    for (Block* block = &first_;;) {
      for (std::size_t i = 0; i < block->slots.size(); ++i) {
        Slot& slot = block->slots[i];
        std::uint64_t expected = kFree;
        if (slot.held.load(memory_order_relaxed) != kFree) continue;
        // The mark goes up first: a pruner that does not scan the slot began before the slot was taken.
        std::size_t used = block->used.load(memory_order_relaxed);
        while (used <= i && !block->used.compare_exchange_weak(used, i + 1, memory_order_seq_cst)) {
        }
        if (slot.held.compare_exchange_strong(expected, number + 1, memory_order_seq_cst)) {
          slot.handles.store(1, memory_order_relaxed);
          return slot;
        }
      }
      Block* next = block->next.load(memory_order_acquire);
      if (next == nullptr) {
        auto* fresh = new Block;
        if (block->next.compare_exchange_strong(next, fresh, memory_order_acq_rel)) {
          next = fresh;
        } else {
          delete fresh;
        }
      }
      block = next;
    }
  }

  alignas(64) Atomic<Sequence> visible_;
  alignas(64) Atomic<Sequence> issued_;
  alignas(64) std::mutex mutex_;
  std::condition_variable published_;
  Pending* pending_ = nullptr;  // guarded by mutex_
  std::size_t awaiting_ = 0;    // guarded by mutex_
  Block first_;
#if SCREE_UNDER_TSAN
  mutable Atomic<unsigned> fence_{0};
#endif
};

}  // namespace scree

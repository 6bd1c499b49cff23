// SPDX-License-Identifier: Apache-2.0
//
// BlockArena: memory for the nodes and entries of all indexes of the process, in blocks of few sizes. A search goes
// from block to block at random, and where each lies on a page of its own, the processor looks up as many addresses as
// it loads lines: hence chunks of 2 MiB, which the system is asked to keep on one huge page each, all but the first, so
// that a small program stays small. A block has no header, so that small entries stay small, too.
//
// A chunk is divided into spans, each for blocks of one size. A span without a block in use serves any size. A chunk
// without one serves on for a while: where one index grows while another goes, the system need not clear its pages in
// between. Given back is what has been idle for long or is too much, when a chunk becomes idle, and all by trim().
//
// Thread safety: any thread at any time, under one lock; threads have caches of their own before it (block_cache.h).

#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace scree::detail {

// The sizes of blocks, in bytes: multiples of 8 up to 512, beyond that whole cache lines. A block is aligned to the
// largest power of two that its size is a multiple of, at most to a line.
struct BlockSize {
  static constexpr std::size_t kLine = 64;
  static constexpr std::size_t kLargest = 2048;

  // The smallest for so many bytes, at most kLargest and not none.
  static constexpr std::size_t of(std::size_t bytes) noexcept {
    const std::size_t grain = bytes <= kFine ? kGrain : kLine;
    return (bytes + grain - 1) / grain * grain;
  }
  // Numbers them from 0 on.
  static constexpr std::size_t number_of(std::size_t size) noexcept {
    return size <= kFine ? size / kGrain - 1 : (size - kFine) / kLine + kFine / kGrain - 1;
  }
  static constexpr std::size_t size_of(std::size_t number) noexcept {
    return number < kFine / kGrain ? (number + 1) * kGrain : kFine + (number + 1 - kFine / kGrain) * kLine;
  }

 private:
  static constexpr std::size_t kGrain = 8;
  static constexpr std::size_t kFine = 512;

 public:
  static constexpr std::size_t kSizes = kFine / kGrain + (kLargest - kFine) / kLine;
};

// One that is not in use.
struct FreeBlock {
  FreeBlock* next;
};

class BlockArena {
 public:
  static constexpr std::size_t kLine = BlockSize::kLine;

  constexpr BlockArena() noexcept = default;
  BlockArena(const BlockArena&) = delete;
  BlockArena& operator=(const BlockArena&) = delete;

  // A list of one block or more, at most `most`, of a BlockSize. Throws std::bad_alloc.
  FreeBlock* allocate(std::size_t size, std::size_t most) {
    Run untouched;
    {
      const std::lock_guard lock(mutex_);
      Span*& usable = usable_[BlockSize::number_of(size)];
      if (usable == nullptr) usable = &new_span(size);
      Span& span = *usable;
      FreeBlock* const used = span.take_used(most);
      if (used == nullptr) untouched = span.take_untouched(most);
      if (span.is_full()) unlink(usable, span);
      if (used != nullptr) return used;
    }
    // Not under the lock: the system clears a page here, perhaps a huge one.
    FreeBlock* first = nullptr;
    for (std::uintptr_t block = untouched.end; block != untouched.begin;) {
      block -= size;
      first = ::new (reinterpret_cast<void*>(block)) FreeBlock{first};  // NOLINT(performance-no-int-to-ptr)
    }
    return first;
  }
  // A list of blocks that are not in use any more, of whatever sizes.
  void free(FreeBlock* first) noexcept {
    const std::lock_guard lock(mutex_);
    while (first != nullptr) {
      FreeBlock* const block = std::exchange(first, first->next);
      __builtin_prefetch(first, 1);
      free_one(block);
    }
  }

  // Gives back the idle chunks, and the memory of the free spans of those that are used by less than half of what they
  // were. O(their spans). This breaks up a huge page, for which searches would pay from then on: so such a chunk serves
  // no more spans, and its others are given back as they become free.
  void trim() noexcept {
    const std::lock_guard lock(mutex_);
    while (longest_idle_ != nullptr) give_back_longest_idle();
    Chunk* next = nullptr;
    for (Chunk* chunk = chunks_; chunk != nullptr; chunk = next) {
      next = chunk->next;
      if (chunk->huge && chunk->spans_used >= chunk->most_used / 2) continue;
      for (Span* span = chunk->free; span != nullptr; span = span->next) {
        if (span->size == 0) continue;
        give_back(*chunk, *span);
        span->size = 0;
      }
      if (!chunk->huge) continue;
      chunk->broken = true;
      unlink(chunks_, *chunk);
    }
  }

  // Around fork(), so that the child finds it whole.
  void lock() noexcept { mutex_.lock(); }
  void unlock() noexcept { mutex_.unlock(); }

 private:
  static constexpr std::size_t kChunk = 2u << 20;
  static constexpr std::size_t kSpan = 32u << 10;
  static constexpr std::size_t kSpans = kChunk / kSpan;
  static constexpr std::size_t kMostIdle = (128u << 20) / kChunk;
  static constexpr std::chrono::seconds kLongIdle{1};
  using Clock = std::chrono::steady_clock;

  // Blocks of a span side by side.
  struct Run {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
  };
  struct Span {
    bool is_full() const noexcept { return free == nullptr && untouched + size > end; }
    // At most so many that were in use before; null if there is none.
    FreeBlock* take_used(std::size_t most) noexcept {
      FreeBlock* const first = free;
      FreeBlock** last = &free;
      for (; *last != nullptr && most != 0; --most, ++used) last = &(*last)->next;
      if (first != nullptr) free = std::exchange(*last, nullptr);
      return first;
    }
    // At most so many that never were.
    Run take_untouched(std::size_t most) noexcept {
      const std::size_t taken = std::min<std::size_t>(most, (end - untouched) / size);
      used += static_cast<std::uint32_t>(taken);
      return {.begin = std::exchange(untouched, untouched + taken * size), .end = untouched};
    }
    void give(FreeBlock* block) noexcept {
      --used;
      block->next = std::exchange(free, block);
    }

    Span* next = nullptr;  // of those of the same size that are not full, or of the free ones of the chunk
    Span* previous = nullptr;
    FreeBlock* free = nullptr;
    std::uintptr_t untouched = 0;  // from here to `end` nothing was ever used
    std::uintptr_t end = 0;
    std::uint32_t size = 0;  // of each block; 0: nothing has been used since the memory was given back
    std::uint32_t used = 0;
  };
  // Lies at the beginning of its memory; the first span begins behind it.
  struct Chunk {
    Span& span_of(const void* block) noexcept {
      return spans[(reinterpret_cast<std::uintptr_t>(block) - reinterpret_cast<std::uintptr_t>(this)) / kSpan];
    }

    Chunk* next = nullptr;  // of those that have free spans to serve, or of the idle ones
    Chunk* previous = nullptr;
    Span* free = nullptr;
    std::size_t spans_used = 0;
    std::size_t most_used = 0;  // at a time
    Clock::time_point idle_since;
    bool huge = false;    // asked for as one page
    bool broken = false;  // into small ones
    std::array<Span, kSpans> spans{};
  };
  static_assert(sizeof(Chunk) < kSpan / 4);

  template <class Node>
  static void link(Node*& first, Node& node) noexcept {
    node.next = first;
    node.previous = nullptr;
    if (first != nullptr) first->previous = &node;
    first = &node;
  }
  template <class Node>
  static void unlink(Node*& first, Node& node) noexcept {
    (node.previous != nullptr ? node.previous->next : first) = node.next;
    if (node.next != nullptr) node.next->previous = node.previous;
  }

  static Chunk& chunk_of(const void* block) noexcept {
    return *reinterpret_cast<Chunk*>(reinterpret_cast<std::uintptr_t>(block) & ~(kChunk - 1));  // NOLINT
  }

  void free_one(FreeBlock* block) noexcept {
    Chunk& chunk = chunk_of(block);
    Span& span = chunk.span_of(block);
    Span*& usable = usable_[BlockSize::number_of(span.size)];
    if (span.is_full()) link(usable, span);
    span.give(block);
    if (span.used != 0) return;
    unlink(usable, span);
    free_span(chunk, span);
  }

  Span& new_span(std::size_t size) {
    if (chunks_ == nullptr) link(chunks_, idle_ != nullptr ? take_idle() : new_chunk());
    Chunk& chunk = *chunks_;
    Span& span = *chunk.free;
    chunk.free = span.next;
    if (chunk.free == nullptr) unlink(chunks_, chunk);
    chunk.most_used = std::max(chunk.most_used, ++chunk.spans_used);
    const auto n = static_cast<std::size_t>(&span - chunk.spans.data());
    const auto begin = reinterpret_cast<std::uintptr_t>(&chunk);
    span.untouched = begin + (n == 0 ? (sizeof(Chunk) + kLine - 1) / kLine * kLine : n * kSpan);
    span.end = begin + (n + 1) * kSpan;
    span.size = static_cast<std::uint32_t>(size);
    span.free = nullptr;
    span.next = span.previous = nullptr;
    return span;
  }
  void free_span(Chunk& chunk, Span& span) noexcept {
    if (chunk.broken) {
      --chunk.spans_used != 0 ? give_back(chunk, span) : unmap(&chunk);
      return;
    }
    if (chunk.free == nullptr) link(chunks_, chunk);
    span.next = chunk.free;
    chunk.free = &span;
    if (--chunk.spans_used != 0) return;
    unlink(chunks_, chunk);
    keep_idle(chunk);
  }

  void keep_idle(Chunk& chunk) noexcept {
    chunk.idle_since = Clock::now();
    link(idle_, chunk);
    if (longest_idle_ == nullptr) longest_idle_ = &chunk;
    ++idle_chunks_;
    while (idle_chunks_ > kMostIdle || chunk.idle_since - longest_idle_->idle_since > kLongIdle) {
      give_back_longest_idle();
    }
  }
  Chunk& take_idle() noexcept {
    Chunk& chunk = *idle_;
    if (longest_idle_ == &chunk) longest_idle_ = nullptr;
    unlink(idle_, chunk);
    --idle_chunks_;
    chunk.most_used = 0;
    return chunk;
  }
  void give_back_longest_idle() noexcept {
    Chunk& chunk = *longest_idle_;
    longest_idle_ = chunk.previous;
    unlink(idle_, chunk);
    --idle_chunks_;
    unmap(&chunk);
  }

  Chunk& new_chunk() {
    auto* const chunk = ::new (map(has_chunk_)) Chunk;
    chunk->huge = std::exchange(has_chunk_, true);
    for (std::size_t n = kSpans; n-- != 0;) {
      chunk->spans[n].next = chunk->free;
      chunk->free = &chunk->spans[n];
    }
    return *chunk;
  }

#if defined(__linux__)
  static void* map(bool huge) {
    void* const memory = ::mmap(nullptr, 2 * kChunk, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    const auto begin = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t chunk = (begin + kChunk - 1) & ~(kChunk - 1);
    if (chunk != begin) ::munmap(memory, chunk - begin);
    ::munmap(reinterpret_cast<void*>(chunk + kChunk), begin + kChunk - chunk);   // NOLINT
    if (huge) ::madvise(reinterpret_cast<void*>(chunk), kChunk, MADV_HUGEPAGE);  // NOLINT
    return reinterpret_cast<void*>(chunk);                                       // NOLINT
  }
  static void unmap(void* chunk) noexcept { ::munmap(chunk, kChunk); }
  // The address space stays. Not the page that the chunk itself lies on.
  static void give_back(Chunk& chunk, const Span& span) noexcept {
    const std::uintptr_t begin = span.end - kSpan;
    const std::uintptr_t page = reinterpret_cast<std::uintptr_t>(&chunk) == begin ? kSpan / 4 : 0;
    ::madvise(reinterpret_cast<void*>(begin + page), kSpan - page, MADV_DONTNEED);  // NOLINT
  }
#else
  static void* map(bool) { return ::operator new (kChunk, std::align_val_t{kChunk}); }
  static void unmap(void* chunk) noexcept { ::operator delete (chunk, std::align_val_t{kChunk}); }
  static void give_back(Chunk&, const Span&) noexcept {}
#endif

  std::mutex mutex_;
  Chunk* chunks_ = nullptr;        // those with free spans and used ones, but for broken ones
  Chunk* idle_ = nullptr;          // those without used ones, the last to become so first
  Chunk* longest_idle_ = nullptr;  // the last of them
  std::size_t idle_chunks_ = 0;
  bool has_chunk_ = false;
  std::array<Span*, BlockSize::kSizes> usable_{};
};

// Visible, so that shared objects that hide their symbols use the same one. Without a destructor: blocks are freed
// after main, too.
[[gnu::visibility("default")]] inline constinit BlockArena block_arena;

}  // namespace scree::detail

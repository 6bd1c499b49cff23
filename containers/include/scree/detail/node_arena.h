// SPDX-License-Identifier: Apache-2.0
//
// NodeArena: memory for the nodes of all trees of the process, in blocks of whole cache lines. A search goes from node
// to node at random, and where each lies on a page of its own, the processor looks up as many addresses as it
// loads lines: hence chunks of 2 MiB, which the system is asked to keep on one huge page each, all but the first, so
// that a small program stays small.
//
// A chunk is divided into spans, each for blocks of one size. A span without a block in use serves any size; a chunk
// without one is given back, but for one that is kept until trim().
//
// Thread safety: any thread at any time, under one lock; threads have caches of their own before it (block_cache.h).

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace scree::detail {

class NodeArena {
 public:
  static constexpr std::size_t kLine = 64;
  static constexpr std::size_t kLargest = 2048;

  constexpr NodeArena() noexcept = default;
  NodeArena(const NodeArena&) = delete;
  NodeArena& operator=(const NodeArena&) = delete;

  // `lines` cache lines, at most kLargest bytes, aligned to a line. Throws std::bad_alloc.
  void* allocate(std::size_t lines) {
    const std::lock_guard lock(mutex_);
    Span*& usable = usable_[lines - 1];
    if (usable == nullptr) usable = &new_span(lines);
    Span& span = *usable;
    Block* const block = span.take();
    if (span.is_full()) unlink(usable, span);
    return block;
  }
  void free(void* block) noexcept {
    const std::lock_guard lock(mutex_);
    Chunk& chunk = chunk_of(block);
    Span& span = chunk.span_of(block);
    Span*& usable = usable_[span.lines - 1];
    if (span.is_full()) link(usable, span);
    span.give(block);
    if (span.used != 0) return;
    unlink(usable, span);
    free_span(chunk, span);
  }

  // Gives back the chunk that is kept, if there is nothing in it, and the memory of the free spans of those that are
  // used by less than half of what they were. O(their spans). This breaks up a huge page, for which searches would pay
  // from then on: so such a chunk serves no more spans, and its others are given back as they become free.
  void trim() noexcept {
    const std::lock_guard lock(mutex_);
    if (spare_ != nullptr && spare_->spans_used == 0) {
      unlink(chunks_, *spare_);
      unmap(spare_);
      spare_ = nullptr;
    }
    Chunk* next = nullptr;
    for (Chunk* chunk = chunks_; chunk != nullptr; chunk = next) {
      next = chunk->next;
      if (chunk->huge && chunk->spans_used >= chunk->most_used / 2) continue;
      for (Span* span = chunk->free; span != nullptr; span = span->next) {
        if (span->lines == 0) continue;
        give_back(*chunk, *span);
        span->lines = 0;
      }
      if (!chunk->huge) continue;
      chunk->broken = true;
      unlink(chunks_, *chunk);
      if (spare_ == chunk) spare_ = nullptr;
    }
  }

  // Around fork(), so that the child finds it whole.
  void lock() noexcept { mutex_.lock(); }
  void unlock() noexcept { mutex_.unlock(); }

 private:
  static constexpr std::size_t kChunk = 2u << 20;
  static constexpr std::size_t kSpan = 32u << 10;
  static constexpr std::size_t kSpans = kChunk / kSpan;

  struct Block {
    Block* next;
  };
  struct Span {
    bool is_full() const noexcept { return free == nullptr && untouched + lines * kLine > end; }
    // Of one that is not full.
    Block* take() noexcept {
      ++used;
      if (Block* const block = free; block != nullptr) {
        free = block->next;
        return block;
      }
      const std::uintptr_t block = untouched;
      untouched += lines * kLine;
      return reinterpret_cast<Block*>(block);  // NOLINT(performance-no-int-to-ptr)
    }
    void give(void* block) noexcept {
      --used;
      free = ::new (block) Block{free};
    }

    Span* next = nullptr;  // of those of the same size that are not full, or of the free ones of the chunk
    Span* previous = nullptr;
    Block* free = nullptr;
    std::uintptr_t untouched = 0;  // from here to `end` nothing was ever used
    std::uintptr_t end = 0;
    std::uint32_t lines = 0;  // of each block; none: nothing has been used since the memory was given back
    std::uint32_t used = 0;
  };
  // Lies at the beginning of its memory; the first span begins behind it.
  struct Chunk {
    Span& span_of(const void* block) noexcept {
      return spans[(reinterpret_cast<std::uintptr_t>(block) - reinterpret_cast<std::uintptr_t>(this)) / kSpan];
    }

    Chunk* next = nullptr;  // of those that have free spans to serve
    Chunk* previous = nullptr;
    Span* free = nullptr;
    std::size_t spans_used = 0;
    std::size_t most_used = 0;  // at a time
    bool huge = false;          // asked for as one page
    bool broken = false;        // into small ones
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

  Span& new_span(std::size_t lines) {
    if (chunks_ == nullptr) link(chunks_, new_chunk());
    Chunk& chunk = *chunks_;
    Span& span = *chunk.free;
    chunk.free = span.next;
    if (chunk.free == nullptr) unlink(chunks_, chunk);
    chunk.most_used = std::max(chunk.most_used, ++chunk.spans_used);
    const auto n = static_cast<std::size_t>(&span - chunk.spans.data());
    const auto begin = reinterpret_cast<std::uintptr_t>(&chunk);
    span.untouched = begin + (n == 0 ? (sizeof(Chunk) + kLine - 1) / kLine * kLine : n * kSpan);
    span.end = begin + (n + 1) * kSpan;
    span.lines = static_cast<std::uint32_t>(lines);
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
    if (spare_ == nullptr) {
      spare_ = &chunk;
    } else if (spare_ != &chunk) {
      unlink(chunks_, chunk);
      unmap(&chunk);
    }
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
  Chunk* chunks_ = nullptr;  // those with free spans, but for broken ones
  Chunk* spare_ = nullptr;   // the one that stays
  bool has_chunk_ = false;
  std::array<Span*, kLargest / kLine> usable_{};
};

// Visible, so that shared objects that hide their symbols use the same one. Without a destructor: nodes are freed after
// main, too.
[[gnu::visibility("default")]] inline constinit NodeArena node_arena;

}  // namespace scree::detail

// SPDX-License-Identifier: Apache-2.0
//
// BlockCache: memory for the nodes of trees, in whole cache lines, and some of what was given back for what is asked
// for next. A tree replaces nodes all the time; an allocator's own cache does not cover blocks of this size and
// alignment.
//
// Thread safety: one thread at a time. It is a part of a thread's record in the reclamation domain (ebr_record.h); what
// is in it when the thread exits serves the next one that has the record.

#pragma once

#include <array>
#include <cstddef>
#include <new>

#include <scree/detail/node_arena.h>
#include <scree/detail/node_cache.h>

namespace scree::detail {

class BlockCache {
 public:
  static constexpr std::size_t kLine = NodeArena::kLine;
  static constexpr std::size_t kLargest = NodeArena::kLargest;
  // Of each size in whole lines. Where none is kept, whoever watches the allocator is to see each node.
  static constexpr std::size_t kBytesKept = NodeCache::kBytesKept;

  // The bytes that a block of so many bytes takes.
  static constexpr std::size_t whole(std::size_t bytes) noexcept { return (bytes + kLine - 1) / kLine * kLine; }

  // Aligned to a line. Throws std::bad_alloc.
  void* allocate(std::size_t bytes) {
    if (kBytesKept == 0 || bytes > kLargest) return ::operator new (whole(bytes), std::align_val_t{kLine});
    void* const block = class_of(bytes).take(whole(bytes));
    return block != nullptr ? block : node_arena.allocate(whole(bytes) / kLine);
  }
  // Of a block of so many bytes that this or another thread's cache allocated.
  void free(void* block, std::size_t bytes) noexcept {
    if (kBytesKept == 0 || bytes > kLargest || !class_of(bytes).keep(block, whole(bytes), kBytesKept)) {
      free_past_caches(block, bytes);
    }
  }
  static void free_past_caches(void* block, std::size_t bytes) noexcept {
    if (kBytesKept == 0 || bytes > kLargest) return ::operator delete (block, std::align_val_t{kLine});
    node_arena.free(block);
  }

  // Gives back all that is kept: a few blocks here and there would keep the memory around them, too.
  void flush() noexcept {
    if constexpr (kBytesKept != 0) {
      for (std::size_t size = kLine; size <= kLargest; size += kLine) {
        while (void* const block = class_of(size).take(size)) node_arena.free(block);
      }
      node_arena.trim();
    }
  }

 private:
  KeptMemory& class_of(std::size_t bytes) noexcept { return classes_[whole(bytes) / kLine - 1]; }

  std::array<KeptMemory, kLargest / kLine> classes_{};
};

}  // namespace scree::detail

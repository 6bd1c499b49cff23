// SPDX-License-Identifier: Apache-2.0
//
// BlockCache: a thread's share of the BlockArena. It takes blocks from there by the handful and keeps some of what was
// given back for what is asked for next: an index replaces nodes and entries all the time, and reclamation frees them
// in bursts, for which an allocator's own cache of a few blocks per thread is not made.
//
// Thread safety: one thread at a time. It is a part of a thread's record in the reclamation domain (ebr_record.h); what
// is in it when the thread exits serves the next one that has the record.

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <utility>

#include <scree/atomic.h>
#include <scree/detail/block_arena.h>

namespace scree::detail {

class BlockCache {
 public:
  static constexpr std::size_t kLine = BlockSize::kLine;
  // Of each size. Where none is kept, whoever watches the allocator is to see each block.
#if SCREE_SMALL_CAPACITIES || SCREE_MODEL || SCREE_UNDER_ASAN
  static constexpr std::size_t kBytesKept = 0;
#else
  static constexpr std::size_t kBytesKept = 16u << 10;
#endif

  // The bytes that a block of so many bytes takes.
  template <std::size_t kAlignment>
  static constexpr std::size_t whole(std::size_t bytes) noexcept {
    const std::size_t aligned = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return is_by_new<kAlignment>(bytes) ? aligned : BlockSize::of(aligned);
  }

  // Throws std::bad_alloc.
  template <std::size_t kAlignment>
  void* allocate(std::size_t bytes) {
    const std::size_t size = whole<kAlignment>(bytes);
    if (is_by_new<kAlignment>(bytes)) return by_new<kAlignment>(size);
    Kept& kept = kept_[BlockSize::number_of(size)];
    if (kept.first == nullptr) refill(kept, size);
    FreeBlock* const block = std::exchange(kept.first, kept.first->next);
    kept.bytes -= size;
    __builtin_prefetch(kept.first, 1);  // it may have lain there for long
    return block;
  }
  // Of a block of so many bytes that this or another thread's cache allocated.
  template <std::size_t kAlignment>
  void free(void* block, std::size_t bytes) noexcept {
    if (is_by_new<kAlignment>(bytes)) return delete_block<kAlignment>(block);
    const std::size_t size = whole<kAlignment>(bytes);
    Kept& kept = kept_[BlockSize::number_of(size)];
    kept.first = ::new (block) FreeBlock{kept.first};
    kept.bytes += size;
    if (kept.bytes > kBytesKept) shorten(kept, size);
  }
  template <std::size_t kAlignment>
  static void free_past_caches(void* block, std::size_t bytes) noexcept {
    if (is_by_new<kAlignment>(bytes)) return delete_block<kAlignment>(block);
    block_arena.free(::new (block) FreeBlock{nullptr});
  }

  // Gives back all that is kept: a few blocks here and there would keep the memory around them, too.
  void flush() noexcept {
    if constexpr (kBytesKept != 0) {
      for (Kept& kept : kept_) {
        if (kept.first != nullptr) block_arena.free(std::exchange(kept, {}).first);
      }
      block_arena.trim();
    }
  }

 private:
  // Those that were in use last come first.
  struct Kept {
    FreeBlock* first = nullptr;
    std::size_t bytes = 0;
  };
  // A handful: so many that the arena's lock does not show, and so few that they are still in the cache when their turn
  // comes.
  static constexpr std::size_t kHandful = 2u << 10;

  template <std::size_t kAlignment>
  static constexpr bool is_by_new(std::size_t bytes) noexcept {
    return kBytesKept == 0 || kAlignment > kLine || bytes > BlockSize::kLargest;
  }
  template <std::size_t kAlignment>
  static void* by_new(std::size_t bytes) {
    if constexpr (kAlignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
      return ::operator new (bytes, std::align_val_t{kAlignment});
    } else {
      return ::operator new(bytes);
    }
  }
  template <std::size_t kAlignment>
  static void delete_block(void* block) noexcept {
    if constexpr (kAlignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
      ::operator delete (block, std::align_val_t{kAlignment});
    } else {
      ::operator delete(block);
    }
  }

  [[gnu::noinline]] static void refill(Kept& kept, std::size_t size) {
    kept.first = block_arena.allocate(size, std::max<std::size_t>(kHandful / size, 1));
    for (const FreeBlock* block = kept.first; block != nullptr; block = block->next) kept.bytes += size;
  }
  // To half of what may be kept.
  [[gnu::noinline]] static void shorten(Kept& kept, std::size_t size) noexcept {
    FreeBlock** rest = &kept.first;
    for (kept.bytes = 0; kept.bytes + size <= kBytesKept / 2; kept.bytes += size) rest = &(*rest)->next;
    block_arena.free(std::exchange(*rest, nullptr));
  }

  std::array<Kept, BlockSize::kSizes> kept_{};
};

}  // namespace scree::detail

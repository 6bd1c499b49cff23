// SPDX-License-Identifier: Apache-2.0
//
// IndexMemory: the memory of an index, from an allocator of the user's. What an index has retired is freed by whichever
// thread reclaims it, perhaps when the index is gone: so a block finds its allocator by itself. Whoever frees it knows
// how many bytes were asked for.
//
// Thread safety: any thread at any time, as far as the allocator bears it.

#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include <scree/detail/block_cache.h>
#include <scree/detail/ebr_thread.h>

namespace scree::detail {

// `A` is an allocator of bytes. One without state is made anew to free a block; of any other, a copy lies behind each
// block.
template <class A>
class IndexMemory {
 public:
  using Allocator = A;

  explicit IndexMemory(const Allocator& allocator) noexcept : allocator_(allocator) {}
  const Allocator& allocator() const noexcept { return allocator_; }

  // The bytes that a block of so many bytes takes.
  template <std::size_t kAlignment>
  static constexpr std::size_t whole(std::size_t bytes) noexcept {
    return Units<kAlignment>::count(bytes) * sizeof(typename Units<kAlignment>::Unit);
  }
  // Throws what the allocator does.
  template <std::size_t kAlignment>
  void* allocate(std::size_t bytes) const {
    using Of = Units<kAlignment>;
    typename Of::Allocator allocator(allocator_);
    void* const block = std::allocator_traits<typename Of::Allocator>::allocate(allocator, Of::count(bytes));
    if constexpr (kHasState) ::new (Of::trailer_of(block, bytes)) typename Of::Allocator(allocator);
    return block;
  }
  template <std::size_t kAlignment>
  static void free(void* block, std::size_t bytes) noexcept {
    using Of = Units<kAlignment>;
    const auto deallocate = [&](typename Of::Allocator allocator) {
      std::allocator_traits<typename Of::Allocator>::deallocate(allocator, static_cast<typename Of::Unit*>(block),
                                                                Of::count(bytes));
    };
    if constexpr (kHasState) {
      auto* const trailer = std::launder(static_cast<typename Of::Allocator*>(Of::trailer_of(block, bytes)));
      typename Of::Allocator allocator(std::move(*trailer));
      std::destroy_at(trailer);
      deallocate(std::move(allocator));
    } else {
      deallocate(typename Of::Allocator(Allocator()));
    }
  }

  // The same of nodes, which lie in whole cache lines.
  static constexpr std::size_t whole_node(std::size_t bytes) noexcept { return whole<BlockCache::kLine>(bytes); }
  void* allocate_node(std::size_t bytes) const { return allocate<BlockCache::kLine>(bytes); }
  static void free_node(void* block, std::size_t bytes) noexcept { free<BlockCache::kLine>(block, bytes); }

 private:
  static constexpr bool kHasState = !(std::is_empty_v<Allocator> && std::is_default_constructible_v<Allocator> &&
                                      std::allocator_traits<Allocator>::is_always_equal::value);

  // An allocator aligns what it allocates as the type for which it is.
  template <std::size_t kAlignment>
  struct Units {
    static constexpr std::size_t kSize = kHasState ? std::max(kAlignment, alignof(A)) : kAlignment;
    struct alignas(kSize) Unit {
      std::byte bytes[kSize];
    };
    using Allocator = typename std::allocator_traits<A>::template rebind_alloc<Unit>;
    static_assert(std::is_same_v<typename std::allocator_traits<Allocator>::pointer, Unit*>,
                  "an index needs an allocator whose pointers are plain pointers");
    static_assert(std::is_constructible_v<Allocator, const A&>, "an allocator converts to one of any other type");
    static_assert(!kHasState || alignof(Allocator) <= kSize, "an allocator for another type is not aligned more");

    static constexpr std::size_t trailer_at(std::size_t bytes) noexcept {
      return (bytes + alignof(Allocator) - 1) / alignof(Allocator) * alignof(Allocator);
    }
    static void* trailer_of(void* block, std::size_t bytes) noexcept {
      return static_cast<std::byte*>(block) + trailer_at(bytes);
    }
    static constexpr std::size_t count(std::size_t bytes) noexcept {
      return ((kHasState ? trailer_at(bytes) + sizeof(Allocator) : bytes) + kSize - 1) / kSize;
    }
  };

  [[no_unique_address]] Allocator allocator_;
};

// Of std::allocator: from the caches of threads (block_cache.h).
template <>
class IndexMemory<std::allocator<std::byte>> {
 public:
  using Allocator = std::allocator<std::byte>;

  IndexMemory() noexcept = default;
  explicit IndexMemory(const Allocator&) noexcept {}
  static Allocator allocator() noexcept { return {}; }

  template <std::size_t kAlignment>
  static constexpr std::size_t whole(std::size_t bytes) noexcept {
    return BlockCache::whole<kAlignment>(bytes);
  }
  template <std::size_t kAlignment>
  static void* allocate(std::size_t bytes) {
    return ebr::detail::current_record().blocks.allocate<kAlignment>(bytes);
  }
  template <std::size_t kAlignment>
  static void free(void* block, std::size_t bytes) noexcept {
    // A coroutine that lets go of a block may be destroyed by a thread that has never used the domain.
    if (ebr::detail::Record* const record = ebr::detail::this_record()) {
      record->blocks.free<kAlignment>(block, bytes);
    } else {
      BlockCache::free_past_caches<kAlignment>(block, bytes);
    }
  }

  static constexpr std::size_t whole_node(std::size_t bytes) noexcept { return whole<BlockCache::kLine>(bytes); }
  static void* allocate_node(std::size_t bytes) { return allocate<BlockCache::kLine>(bytes); }
  static void free_node(void* block, std::size_t bytes) noexcept { free<BlockCache::kLine>(block, bytes); }
};
using HeapMemory = IndexMemory<std::allocator<std::byte>>;

// Of an index with an allocator of any type.
template <class Allocator>
using memory_of_t = IndexMemory<typename std::allocator_traits<Allocator>::template rebind_alloc<std::byte>>;

// What `construct(block)` makes in a block of so many bytes, which is freed if that throws.
template <std::size_t kAlignment, class Memory, class Construct>
auto make_in(const Memory& memory, std::size_t bytes, const Construct& construct) {
  void* const block = memory.template allocate<kAlignment>(bytes);
  try {
    return construct(block);
  } catch (...) {
    Memory::template free<kAlignment>(block, bytes);
    throw;
  }
}

}  // namespace scree::detail

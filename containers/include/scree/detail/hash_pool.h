// SPDX-License-Identifier: Apache-2.0
//
// HashPool: the overflow groups of a table, numbered from 1 on. They go with the table.
//
// Thread safety: any thread at any time. A number is handed from thread to thread by the state that names it.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include <scree/atomic.h>

namespace scree::detail {

template <class Group, class Memory>
class HashPool {
 public:
  HashPool() = default;
  HashPool(const HashPool&) = delete;
  HashPool& operator=(const HashPool&) = delete;
  ~HashPool() {
    for (unsigned n = 0; n < kChunks; ++n) {
      if (Group* const chunk = chunks_[n].load(memory_order_relaxed)) destroy(chunk, size_of(n));
    }
  }

  // An empty group's number. Throws what allocation throws.
  std::uint32_t make(const Memory& memory) {
    for (std::uint32_t index = made_.load(memory_order_relaxed);;) {
      const unsigned chunk = place_of(index).chunk;
      if (chunk == kChunks) throw std::bad_alloc();
      if (chunks_[chunk].load(memory_order_relaxed) == nullptr) add_chunk(memory, chunk);
      if (made_.compare_exchange_weak(index, index + 1, memory_order_relaxed)) return index + 1;
    }
  }
  Group& operator[](std::uint32_t number) const noexcept {
    const Place place = place_of(number - 1);
    return chunks_[place.chunk].load(memory_order_acquire)[place.index];  // [P2]
  }
  std::uint32_t made() const noexcept { return made_.load(memory_order_relaxed); }
  // O(number of chunks).
  std::size_t bytes() const noexcept {
    std::size_t bytes = 0;
    for (unsigned n = 0; n < kChunks; ++n) {
      if (chunks_[n].load(memory_order_relaxed) != nullptr) bytes += whole(size_of(n));
    }
    return bytes;
  }

 private:
  // Each chunk is as large as all before it, and the first.
  static constexpr std::uint32_t kFirst = 4;
  static constexpr unsigned kChunks = 29;

  struct Place {
    unsigned chunk;
    std::uint32_t index;
  };
  static constexpr std::uint32_t size_of(unsigned chunk) noexcept { return kFirst << chunk; }
  static constexpr Place place_of(std::uint32_t index) noexcept {
    const unsigned chunk = static_cast<unsigned>(std::bit_width(index / kFirst + 1)) - 1;
    return {chunk, index - (size_of(chunk) - kFirst)};
  }
  static std::size_t whole(std::size_t groups) noexcept {
    return Memory::template whole<alignof(Group)>(groups * sizeof(Group));
  }
  static void destroy(Group* chunk, std::size_t groups) noexcept {
    std::destroy_n(chunk, groups);
    Memory::template free<alignof(Group)>(chunk, groups * sizeof(Group));
  }

  void add_chunk(const Memory& memory, unsigned n) {
    const std::size_t groups = size_of(n);
    auto* const chunk = static_cast<Group*>(memory.template allocate<alignof(Group)>(groups * sizeof(Group)));
    std::uninitialized_default_construct_n(chunk, groups);
    Group* none = nullptr;
    if (!chunks_[n].compare_exchange_strong(none, chunk, memory_order_release, memory_order_relaxed)) {  // [P1]
      destroy(chunk, groups);
    }
  }

  Atomic<std::uint32_t> made_{0};
  Atomic<Group*> chunks_[kChunks]{};
};

}  // namespace scree::detail

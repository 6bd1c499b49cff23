// SPDX-License-Identifier: Apache-2.0
//
// ZeroedArray: a large array of objects for which all bytes zero is as good as new: from the system's clear pages,
// where an allocator would have to touch all of it before the first use.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

#include <scree/detail/index_memory.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace scree::detail {

template <class T, class Memory>
class ZeroedArray {
 public:
  // Throws what allocation throws. O(n) where an allocator of the user's is used, or n is small.
  ZeroedArray(const Memory& memory, std::size_t objects)
      : objects_(objects), begin_(is_from_system() ? static_cast<T*>(map()) : make(memory)) {}
  ~ZeroedArray() {
    if (is_from_system()) {
      unmap();
    } else {
      std::destroy_n(begin_, objects_);
      Memory::template free<alignof(T)>(begin_, objects_ * sizeof(T));
    }
  }
  ZeroedArray(const ZeroedArray&) = delete;
  ZeroedArray& operator=(const ZeroedArray&) = delete;

  T& operator[](std::size_t n) const noexcept { return begin_[n]; }
  std::size_t bytes() const noexcept {
    return is_from_system() ? whole() : Memory::template whole<alignof(T)>(objects_ * sizeof(T));
  }

 private:
  static constexpr std::size_t kHugePage = 2u << 20;

  T* make(const Memory& memory) const {
    auto* const array = static_cast<T*>(memory.template allocate<alignof(T)>(objects_ * sizeof(T)));
    std::uninitialized_value_construct_n(array, objects_);
    return array;
  }

#if defined(__linux__) && !SCREE_MODEL
  bool is_from_system() const noexcept {
    return std::is_same_v<Memory, HeapMemory> && objects_ * sizeof(T) >= kHugePage;
  }
  void* map() const {
    const std::size_t bytes = whole();
    void* const mapped = ::mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::bad_alloc();
    const auto begin = reinterpret_cast<std::uintptr_t>(mapped);
    const std::uintptr_t aligned = (begin + kHugePage - 1) & ~(kHugePage - 1);
    if (aligned != begin) ::munmap(mapped, aligned - begin);
    const std::uintptr_t end = aligned + bytes;
    if (const std::size_t rest = begin + bytes + kHugePage - end; rest != 0) {
      ::munmap(reinterpret_cast<void*>(end), rest);  // NOLINT(performance-no-int-to-ptr)
    }
    void* const array = reinterpret_cast<void*>(aligned);  // NOLINT(performance-no-int-to-ptr)
    ::madvise(array, bytes, MADV_HUGEPAGE);
    return array;
  }
  void unmap() const noexcept { ::munmap(begin_, whole()); }
  std::size_t whole() const noexcept { return (objects_ * sizeof(T) + kHugePage - 1) & ~(kHugePage - 1); }
#else
  static constexpr bool is_from_system() noexcept { return false; }
  static constexpr std::size_t whole() noexcept { return 0; }
  static void* map() { return nullptr; }
  static void unmap() noexcept {}
#endif

  const std::size_t objects_;
  T* const begin_;
};

}  // namespace scree::detail

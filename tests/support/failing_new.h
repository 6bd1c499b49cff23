// SPDX-License-Identifier: Apache-2.0
//
// Replaces this program's operator new by one that can be made to fail at its n-th call. Include it in one source of a
// program of its own.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace scree::test {

// Counts down over everything that may fail while it is armed, on this thread.
struct FailurePoint {
  static inline thread_local std::size_t left = 0;  // 0: not armed
  static inline thread_local bool failed = false;
  // Whether operator new(nothrow) may fail. Reclamation alone uses it: it prefers a leak to an early reclamation.
  static inline thread_local bool nothrow_fails = false;
  static inline thread_local std::size_t allocations = 0;  // so far
  static inline thread_local std::size_t last_size = 0;    // of the newest
  // Of any thread, of memory that was allocated with an alignment: what is not freed yet.
  static inline std::atomic<std::ptrdiff_t> aligned_alive{0};

  static bool strikes() noexcept {
    if (left == 0 || --left != 0) return false;
    failed = true;
    return true;
  }
};

inline void* allocate(std::size_t size, std::size_t alignment) {
  ++FailurePoint::allocations;
  FailurePoint::last_size = size;
  if (FailurePoint::strikes()) throw std::bad_alloc();
  void* p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

inline void* allocate(std::size_t size, std::align_val_t alignment) {
  void* const p = allocate(size, static_cast<std::size_t>(alignment));
  ++FailurePoint::aligned_alive;
  return p;
}
inline void free_aligned(void* p) noexcept {
  if (p != nullptr) --FailurePoint::aligned_alive;
  std::free(p);
}

}  // namespace scree::test

// Not inlined: the compiler would complain that what operator new returned is passed to free().
#define SCREE_REPLACED [[gnu::noinline]]
SCREE_REPLACED void* operator new(std::size_t size) { return scree::test::allocate(size, alignof(std::max_align_t)); }
SCREE_REPLACED void* operator new[](std::size_t size) { return scree::test::allocate(size, alignof(std::max_align_t)); }
SCREE_REPLACED void* operator new(std::size_t size, std::align_val_t a) { return scree::test::allocate(size, a); }
SCREE_REPLACED void* operator new[](std::size_t size, std::align_val_t a) { return scree::test::allocate(size, a); }
SCREE_REPLACED void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++scree::test::FailurePoint::allocations;
  if (scree::test::FailurePoint::nothrow_fails && scree::test::FailurePoint::strikes()) return nullptr;
  return std::malloc(size);
}
SCREE_REPLACED void operator delete(void* p) noexcept { std::free(p); }
SCREE_REPLACED void operator delete[](void* p) noexcept { std::free(p); }
SCREE_REPLACED void operator delete(void* p, std::size_t) noexcept { std::free(p); }
SCREE_REPLACED void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
SCREE_REPLACED void operator delete(void* p, std::align_val_t) noexcept { scree::test::free_aligned(p); }
SCREE_REPLACED void operator delete[](void* p, std::align_val_t) noexcept { scree::test::free_aligned(p); }
SCREE_REPLACED void operator delete(void* p, std::size_t, std::align_val_t) noexcept { scree::test::free_aligned(p); }
SCREE_REPLACED void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { scree::test::free_aligned(p); }
SCREE_REPLACED void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
#undef SCREE_REPLACED

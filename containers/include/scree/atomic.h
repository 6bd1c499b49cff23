// SPDX-License-Identifier: Apache-2.0
//
// What threads share goes through this header: atomics, fences, and the plain fields that atomics hand from one
// thread to another. In the product these are the standard ones. Where SCREE_MODEL is 1 (tests/model) the explorer
// provides them, and so runs the same templates under a scheduler and a memory model of its own.

#pragma once

#include <atomic>

#if defined(__SANITIZE_THREAD__)
#define SCREE_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SCREE_UNDER_TSAN 1
#endif
#endif
#ifndef SCREE_UNDER_TSAN
#define SCREE_UNDER_TSAN 0
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SCREE_UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCREE_UNDER_ASAN 1
#endif
#endif
#ifndef SCREE_UNDER_ASAN
#define SCREE_UNDER_ASAN 0
#endif

namespace scree {

using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

}  // namespace scree

#if SCREE_MODEL
#include <scree_model/atomic.h>
#else

namespace scree {

template <class T>
using Atomic = std::atomic<T>;

// A field without atomicity of its own: a protocol's atomics say which thread may touch it when.
template <class T>
using Plain = T;

// The value in a Plain, which is read here and stays as it is.
template <class T>
constexpr const T& value_in(const T& plain) noexcept {
  return plain;
}

inline void thread_fence(std::memory_order order) noexcept { std::atomic_thread_fence(order); }

// Keeps the compiler from moving accesses across it; costs nothing at run time.
inline void compiler_fence() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

}  // namespace scree

#endif

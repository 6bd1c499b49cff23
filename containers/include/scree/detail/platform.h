// SPDX-License-Identifier: Apache-2.0
//
// What the containers take from the operating system and the processor: the asymmetric fence of
// docs/protocols/epoch.md (readers pay a compiler fence, the reclaimer makes every running thread of the process pass
// through a full fence), a clock, and a pause.

#pragma once

#include <cstddef>

#include <scree/atomic.h>

#if SCREE_MODEL
#include <scree_model/platform.h>
#else
#include <chrono>
#include <cstdint>
#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace scree::detail {

// All lines of a node at once: a search that meets them one by one waits for each.
inline void prefetch_lines(const void* begin, std::size_t bytes) noexcept {
  for (std::size_t i = 0; i < bytes; i += 64) __builtin_prefetch(static_cast<const char*>(begin) + i);
}

#if SCREE_MODEL

using scree::model::membarrier_call;
using scree::model::membarrier_register;
inline std::uint64_t now_nanoseconds() noexcept { return 0; }
inline void pause() noexcept {}

#else

#if defined(__linux__)
inline bool membarrier_register() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}
inline bool membarrier_call() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}
#else
inline bool membarrier_register() noexcept { return false; }
inline bool membarrier_call() noexcept { return false; }
#endif

// By a clock that only goes forward.
inline std::uint64_t now_nanoseconds() noexcept {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since_start).count());
}

// Lets the processor wait a few dozen nanoseconds.
inline void pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

#endif

}  // namespace scree::detail

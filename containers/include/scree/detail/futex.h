// SPDX-License-Identifier: Apache-2.0
//
// Sleeping on a 32-bit word.

#pragma once

#include <cstdint>

#include <scree/atomic.h>

#if SCREE_MODEL
#include <scree_model/platform.h>
#elif defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace scree::detail {

#if SCREE_MODEL

using scree::model::futex_wait;
using scree::model::futex_wake;

#elif defined(__linux__)

static_assert(sizeof(Atomic<std::uint32_t>) == sizeof(std::uint32_t));

// Sleeps while `word` is `old`; may return sooner. The caller looks at the word again.
inline void futex_wait(const Atomic<std::uint32_t>& word, std::uint32_t old) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
}
// Wakes one thread that sleeps on the word at this address. The word itself is not touched and may be gone: at worst,
// who sleeps on what stands there now looks at it once more.
inline void futex_wake(const Atomic<std::uint32_t>* word) noexcept {
  ::syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

#else

inline void futex_wait(const Atomic<std::uint32_t>& word, std::uint32_t old) noexcept { word.wait(old); }
inline void futex_wake(const Atomic<std::uint32_t>* word) noexcept {
  const_cast<Atomic<std::uint32_t>*>(word)->notify_one();
}

#endif

}  // namespace scree::detail

// SPDX-License-Identifier: Apache-2.0
//
// The asymmetric fence of the epoch protocol (docs/protocols/epoch.md): readers pay a compiler fence, the
// reclaimer makes every running thread of the process pass through a full fence.

#pragma once

#include <scree/atomic.h>

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace scree::detail {

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

}  // namespace scree::detail

// SPDX-License-Identifier: Apache-2.0
//
// Makes threads give way at random at the sync points, so that few cores still interleave them within an operation.
// Where SCREE_SYNC_POINTS is 0 it does nothing.

#pragma once

#include <scree/sync_point.h>

#if SCREE_SYNC_POINTS
#include <cstdint>
#include <thread>
#endif

namespace scree::test {

class Jitter {
 public:
#if SCREE_SYNC_POINTS
  Jitter() {
    sync_point_hook.store(
        [](const char*) {
          thread_local std::uint64_t random = reinterpret_cast<std::uintptr_t>(&random);
          random = random * 6364136223846793005u + 1442695040888963407u;
          if ((random >> 60) == 0) std::this_thread::yield();
        },
        memory_order_release);
  }
  ~Jitter() { sync_point_hook.store(nullptr, memory_order_release); }
#else
  Jitter() {}
#endif
  Jitter(const Jitter&) = delete;
  Jitter& operator=(const Jitter&) = delete;
};

}  // namespace scree::test

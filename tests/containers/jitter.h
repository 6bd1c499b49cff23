// SPDX-License-Identifier: Apache-2.0
//
// Makes threads linger at random at the sync points, and now and then give way, so that few cores still interleave them
// within an operation. Giving way is rare: on a busy machine it costs milliseconds. Where SCREE_SYNC_POINTS is 0 it
// does nothing.

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
          if ((random >> 55) == 0) return std::this_thread::yield();
          if ((random >> 60) != 0) return;
          for (std::uint64_t n = (random >> 32) % 512; n != 0; --n) std::atomic_signal_fence(memory_order_seq_cst);
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

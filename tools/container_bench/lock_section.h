// SPDX-License-Identifier: Apache-2.0
//
// lock_unlock and lock_unlock_shared: what an empty section costs. All threads use one lock.

#pragma once

#include <cstdint>

#include "contender.h"
#include "keep.h"
#include "timed_threads.h"

namespace scree::bench {

// Out of line, so that it is found by its name in a disassembly and by callgrind.
template <class Mutex>
[[gnu::noinline]] void lock_loop(Mutex& mutex, std::uint64_t operations) {
  for (std::uint64_t i = 0; i < operations; ++i) {
    mutex.lock();
    keep_memory();
    mutex.unlock();
  }
}
template <class Mutex>
[[gnu::noinline]] void lock_shared_loop(Mutex& mutex, std::uint64_t operations) {
  for (std::uint64_t i = 0; i < operations; ++i) {
    mutex.lock_shared();
    keep_memory();
    mutex.unlock_shared();
  }
}

template <class Mutex>
RunFunction lock_run(void (*loop)(Mutex& mutex, std::uint64_t operations)) {
  return [loop](const RunRequest& request, double* nanoseconds) {
    // A line of its own.
    struct alignas(128) {
      Mutex mutex;
    } shared;
    *nanoseconds = run_on_threads(request.threads, [&](Lap& lap) {
      lap.start();
      loop(shared.mutex, request.operations_per_thread());
      lap.stop();
    });
    return Status::ok();
  };
}

template <class Mutex>
RunFunction lock_unlock() {
  return lock_run<Mutex>(&lock_loop<Mutex>);
}
template <class Mutex>
RunFunction lock_unlock_shared() {
  return lock_run<Mutex>(&lock_shared_loop<Mutex>);
}

}  // namespace scree::bench

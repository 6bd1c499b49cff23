// SPDX-License-Identifier: Apache-2.0

#include "timed_threads.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace scree::bench {
namespace {

// The cores that this process may use.
std::vector<int> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

void pin_this_thread(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

}  // namespace

double run_on_threads(unsigned threads, const std::function<void(Lap& lap)>& body) {
  const std::vector<int> cores = allowed_cores();
  std::latch all_ready(threads);
  std::vector<Lap> laps(threads, Lap(&all_ready));
  std::vector<std::thread> running;
  for (unsigned i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      if (!cores.empty()) pin_this_thread(cores[i % cores.size()]);
      body(laps[i]);
    });
  }
  for (std::thread& thread : running) thread.join();

  auto first_start = laps.front().started();
  auto last_stop = laps.front().stopped();
  for (const Lap& lap : laps) {
    first_start = std::min(first_start, lap.started());
    last_stop = std::max(last_stop, lap.stopped());
  }
  return std::chrono::duration<double, std::nano>(last_stop - first_start).count();
}

}  // namespace scree::bench

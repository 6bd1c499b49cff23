// SPDX-License-Identifier: Apache-2.0
//
// tbb::concurrent_queue.

#include "push_pop.h"
#include "registry.h"

#if SCREE_BENCH_TBB
#include <oneapi/tbb/concurrent_queue.h>
#include <oneapi/tbb/version.h>
#endif

namespace scree::bench {

#if SCREE_BENCH_TBB

namespace {

struct TbbQueue {
  using Container = tbb::concurrent_queue<std::uint64_t>;
  static void push(Container* queue, std::uint64_t number) { queue->push(number); }
  static bool pop(Container* queue, std::uint64_t* number) { return queue->try_pop(*number); }
};

}  // namespace

void add_tbb_queue(Registry* registry) {
  registry->add_peer("tbb_queue", "oneTBB " TBB_VERSION_STRING);
  add_push_pop_side<TbbQueue>(registry, "queue", "tbb_queue");
}

#else

void add_tbb_queue(Registry* registry) { registry->add_absent_peer("tbb_queue", "libtbb-dev"); }

#endif

}  // namespace scree::bench

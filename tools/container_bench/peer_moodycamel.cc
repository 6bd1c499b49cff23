// SPDX-License-Identifier: Apache-2.0
//
// moodycamel::ConcurrentQueue without tokens. It is first in, first out for each producer only.

#include "push_pop.h"
#include "registry.h"

#if SCREE_BENCH_MOODYCAMEL
#include <concurrentqueue/concurrentqueue.h>
#endif

namespace scree::bench {

#if SCREE_BENCH_MOODYCAMEL

namespace {

struct Moodycamel {
  using Container = moodycamel::ConcurrentQueue<std::uint64_t>;
  static void push(Container* queue, std::uint64_t number) { queue->enqueue(number); }
  static bool pop(Container* queue, std::uint64_t* number) { return queue->try_dequeue(*number); }
};

}  // namespace

void add_moodycamel(Registry* registry) {
  registry->add_peer("moodycamel", "concurrentqueue");
  add_push_pop_side<Moodycamel>(registry, "queue", "moodycamel");
}

#else

void add_moodycamel(Registry* registry) { registry->add_absent_peer("moodycamel", "libconcurrentqueue-dev"); }

#endif

}  // namespace scree::bench

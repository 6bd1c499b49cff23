// SPDX-License-Identifier: Apache-2.0
//
// boost::lockfree::queue, unbounded, with a free list of its nodes, which are never given back.

#include "push_pop.h"
#include "registry.h"

#if SCREE_BENCH_BOOST
#include <boost/lockfree/queue.hpp>
#include <boost/version.hpp>
#endif

namespace scree::bench {

#if SCREE_BENCH_BOOST

namespace {

struct BoostQueue {
  struct Container : boost::lockfree::queue<std::uint64_t> {
    Container() : queue(128) {}
  };
  static void push(Container* queue, std::uint64_t number) { queue->push(number); }
  static bool pop(Container* queue, std::uint64_t* number) { return queue->pop(*number); }
};

}  // namespace

void add_boost_queue(Registry* registry) {
  registry->add_peer("boost_queue", "Boost " BOOST_LIB_VERSION);
  add_push_pop_side<BoostQueue>(registry, "queue", "boost_queue");
}

#else

void add_boost_queue(Registry* registry) { registry->add_absent_peer("boost_queue", "libboost-dev"); }

#endif

}  // namespace scree::bench

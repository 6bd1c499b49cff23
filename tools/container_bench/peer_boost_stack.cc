// SPDX-License-Identifier: Apache-2.0
//
// boost::lockfree::stack as it is by default: unbounded, with a free list of its nodes, which are never given back.

#include <cstddef>

#include "push_pop.h"
#include "registry.h"

#if SCREE_BENCH_BOOST
#include <boost/lockfree/stack.hpp>
#include <boost/version.hpp>
#endif

namespace scree::bench {

#if SCREE_BENCH_BOOST

namespace {

struct BoostStack {
  struct Container {
    boost::lockfree::stack<std::uint64_t> stack{kNodesAtFirst};
  };
  static void push(Container* container, std::uint64_t number) { container->stack.push(number); }
  static bool pop(Container* container, std::uint64_t* number) { return container->stack.pop(*number); }

  static constexpr std::size_t kNodesAtFirst = 128;
};

}  // namespace

void add_boost_stack(Registry* registry) {
  registry->add_peer("boost_stack", "Boost " BOOST_LIB_VERSION);
  add_push_pop_side<BoostStack>(registry, "stack", "boost_stack");
}

#else

void add_boost_stack(Registry* registry) { registry->add_absent_peer("boost_stack", "libboost-dev"); }

#endif

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0
//
// tbb::concurrent_map, a skip list. It cannot erase beside other threads.

#include "ordered_map.h"
#include "registry.h"

#if SCREE_BENCH_TBB
#include <oneapi/tbb/concurrent_map.h>
#include <oneapi/tbb/version.h>
#endif

namespace scree::bench {

#if SCREE_BENCH_TBB

namespace {

struct TbbMap : StandardMapWay<tbb::concurrent_map<std::uint64_t, std::uint64_t>> {
  static constexpr unsigned kThreads = std::numeric_limits<unsigned>::max();
  static constexpr bool kErases = false;
};

}  // namespace

void add_tbb_map(Registry* registry) {
  registry->add_peer("tbb_map", "oneTBB " TBB_VERSION_STRING);
  add_ordered_map_side<TbbMap>(registry, "tree_index", "tbb_map");
}

#else

void add_tbb_map(Registry* registry) { registry->add_absent_peer("tbb_map", "libtbb-dev"); }

#endif

}  // namespace scree::bench

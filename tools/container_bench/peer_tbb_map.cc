// SPDX-License-Identifier: Apache-2.0
//
// tbb::concurrent_map, a skip list. It cannot erase beside other threads.

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "map_runs.h"
#include "registry.h"

#if SCREE_BENCH_TBB
#include <oneapi/tbb/concurrent_map.h>
#include <oneapi/tbb/version.h>
#endif

namespace scree::bench {

#if SCREE_BENCH_TBB

namespace {

template <class W, class M>
struct TbbWay : StandardMapWay<W, M> {
  static constexpr unsigned kThreads = std::numeric_limits<unsigned>::max();
  static constexpr bool kErases = false;
  static constexpr bool kOrdered = true;
};

using NumberWay = TbbWay<NumberWorkload, tbb::concurrent_map<std::uint64_t, std::uint64_t>>;
// Ordered by std::less<>, so that views can be sought.
using ByteWay = TbbWay<ByteWorkload, tbb::concurrent_map<std::string, std::string, std::less<>>>;

}  // namespace

void add_tbb_map(Registry* registry) {
  registry->add_peer("tbb_map", "oneTBB " TBB_VERSION_STRING);
  add_map_side<NumberWay>(registry, "tree_index", "tbb_map");
  registry->add_peer("tbb_map_bytes", "oneTBB " TBB_VERSION_STRING);
  add_map_side<ByteWay>(registry, "tree_index_bytes", "tbb_map_bytes");
}

#else

void add_tbb_map(Registry* registry) {
  for (const char* name : {"tbb_map", "tbb_map_bytes"}) registry->add_absent_peer(name, "libtbb-dev");
}

#endif

}  // namespace scree::bench

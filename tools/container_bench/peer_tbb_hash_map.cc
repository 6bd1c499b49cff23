// SPDX-License-Identifier: Apache-2.0
//
// tbb::concurrent_hash_map, whose accessors lock their entry.

#include <cstdint>
#include <limits>
#include <string>

#include "map_runs.h"
#include "registry.h"

#if SCREE_BENCH_TBB
#include <oneapi/tbb/concurrent_hash_map.h>
#include <oneapi/tbb/version.h>
#endif

namespace scree::bench {

#if SCREE_BENCH_TBB

namespace {

struct Way : StandardMapWay<NumberWorkload, tbb::concurrent_hash_map<std::uint64_t, std::uint64_t>> {
  static constexpr unsigned kThreads = std::numeric_limits<unsigned>::max();
  static constexpr bool kErases = true;
  static constexpr bool kOrdered = false;

  static bool insert(Map* map, KeyView key, std::uint64_t value) { return map->emplace(key, value); }
  template <class F>
  static bool read(const Map& map, KeyView key, const F& f) {
    Map::const_accessor found;
    if (!map.find(found, key)) return false;
    f(found->second);
    return true;
  }
  static bool erase(Map* map, KeyView key) { return map->erase(key); }
};

}  // namespace

void add_tbb_hash_map(Registry* registry) {
  registry->add_peer("tbb_hash_map", "oneTBB " TBB_VERSION_STRING);
  for (const char* container : {"hash_index", "hash_map"}) add_map_side<Way>(registry, container, "tbb_hash_map");
}

#else

void add_tbb_hash_map(Registry* registry) { registry->add_absent_peer("tbb_hash_map", "libtbb-dev"); }

#endif

}  // namespace scree::bench

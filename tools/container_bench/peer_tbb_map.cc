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

struct TbbMap {
  using Map = tbb::concurrent_map<std::uint64_t, std::uint64_t>;
  static constexpr unsigned kThreads = std::numeric_limits<unsigned>::max();
  static constexpr bool kErases = false;

  static bool insert(Map* map, std::uint64_t key, std::uint64_t value) { return map->emplace(key, value).second; }
  static bool read(const Map& map, std::uint64_t key, std::uint64_t* value) {
    const auto found = map.find(key);
    if (found == map.end()) return false;
    *value = found->second;
    return true;
  }
  static std::uint64_t scan(const Map& map, std::uint64_t from, std::uint64_t entries) {
    std::uint64_t sum = 0;
    for (auto i = map.lower_bound(from); entries != 0 && i != map.end(); --entries, ++i) sum += i->second;
    return sum;
  }
  static std::uint64_t scan_all(const Map& map) {
    std::uint64_t sum = 0;
    for (const auto& [key, value] : map) sum += value;
    return sum;
  }
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

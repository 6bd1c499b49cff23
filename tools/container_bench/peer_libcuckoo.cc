// SPDX-License-Identifier: Apache-2.0
//
// libcuckoo::cuckoohash_map.

#include <cstdint>
#include <limits>
#include <string>

#include "map_runs.h"
#include "registry.h"

#if SCREE_BENCH_LIBCUCKOO
#include <libcuckoo/cuckoohash_map.hh>
#endif

namespace scree::bench {

#if SCREE_BENCH_LIBCUCKOO

namespace {

struct Way : StandardMapWay<NumberWorkload, libcuckoo::cuckoohash_map<std::uint64_t, std::uint64_t>> {
  static constexpr unsigned kThreads = std::numeric_limits<unsigned>::max();
  static constexpr bool kErases = true;
  static constexpr bool kOrdered = false;

  static bool insert(Map* map, KeyView key, std::uint64_t value) { return map->insert(key, value); }
  template <class F>
  static bool read(const Map& map, KeyView key, const F& f) {
    return map.find_fn(key, [&](std::uint64_t value) { f(value); });
  }
  static bool erase(Map* map, KeyView key) { return map->erase(key); }
  // Its scan locks the whole table, which a const map does not allow.
  template <class F>
  static void scan_all(const Map& map, const F& f) {
    for (const auto& [key, value] : const_cast<Map&>(map).lock_table()) f(value);
  }
};

}  // namespace

void add_libcuckoo(Registry* registry) {
  registry->add_peer("libcuckoo", "libcuckoo");
  for (const char* container : {"hash_index", "hash_map"}) add_map_side<Way>(registry, container, "libcuckoo");
}

#else

void add_libcuckoo(Registry* registry) { registry->add_absent_peer("libcuckoo", "libcuckoo-dev"); }

#endif

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0
//
// scree::HashIndex and scree::HashMap, of numbers.

#include <scree/hash_index.h>
#include <scree/hash_map.h>

#include <cstdint>
#include <limits>

#include "collect.h"
#include "map_runs.h"
#include "read_batch.h"
#include "registry.h"

namespace scree::bench {
namespace {

template <class M>
struct HashWay {
  using Workload = NumberWorkload;
  using KeyView = Workload::KeyView;
  using Map = M;
  static constexpr unsigned kThreads = std::numeric_limits<unsigned>::max();
  static constexpr bool kErases = true;
  static constexpr bool kOrdered = false;

  static bool insert(Map* map, KeyView key, Workload::ValueView value) { return map->insert(key, value); }
  template <class F>
  static bool read(const Map& map, KeyView key, const F& f) {
    return map.read(key, [&](std::uint64_t, std::uint64_t value) { f(value); });
  }
  static bool erase(Map* map, KeyView key) { return static_cast<bool>(map->remove(key)); }
  static Status settle() { return collect_everything(); }
};

struct IndexWay : HashWay<HashIndex<std::uint64_t, std::uint64_t>> {
  template <class F>
  static void scan_all(const Map& map, const F& f) {
    const ebr::Barrier barrier;
    for (const auto [key, value] : map.iter(barrier)) f(value);
  }
};
struct MapWay : HashWay<HashMap<std::uint64_t, std::uint64_t>> {
  template <class F>
  static void scan_all(const Map& map, const F& f) {
    map.scan([&](std::uint64_t, std::uint64_t value) { f(value); });
  }
};

}  // namespace

void add_hash(Registry* registry) {
  add_map<IndexWay>(registry, "hash_index");
  add_read_batch_16<IndexWay>(registry, "hash_index");
  add_map<MapWay>(registry, "hash_map");
}

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0
//
// absl::btree_map, which is for one thread alone.

#include "ordered_map.h"
#include "registry.h"

#if SCREE_BENCH_ABSL
#include <absl/base/config.h>
#include <absl/container/btree_map.h>
#endif

namespace scree::bench {

#if SCREE_BENCH_ABSL

namespace {

struct AbslWay : StandardMapWay<absl::btree_map<std::uint64_t, std::uint64_t>> {
  static constexpr unsigned kThreads = 1;
  static constexpr bool kErases = true;

  static bool erase(Map* map, std::uint64_t key) { return map->erase(key) != 0; }
};

}  // namespace

void add_absl_btree_map(Registry* registry) {
  registry->add_peer("absl_btree_map", "Abseil " + std::to_string(ABSL_LTS_RELEASE_VERSION));
  add_ordered_map_side<AbslWay>(registry, "tree_index", "absl_btree_map");
}

#else

void add_absl_btree_map(Registry* registry) { registry->add_absent_peer("absl_btree_map", "libabsl-dev"); }

#endif

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0
//
// absl::flat_hash_map, which is for one thread alone.

#include <cstdint>
#include <string>

#include "map_runs.h"
#include "registry.h"

#if SCREE_BENCH_ABSL
#include <absl/base/config.h>
#include <absl/container/flat_hash_map.h>
#endif

namespace scree::bench {

#if SCREE_BENCH_ABSL

namespace {

struct Way : StandardMapWay<NumberWorkload, absl::flat_hash_map<std::uint64_t, std::uint64_t>> {
  static constexpr unsigned kThreads = 1;
  static constexpr bool kErases = true;
  static constexpr bool kOrdered = false;

  static bool erase(Map* map, KeyView key) { return map->erase(key) != 0; }
};

}  // namespace

void add_absl_flat_hash_map(Registry* registry) {
  registry->add_peer("absl_flat_hash_map", "Abseil " + std::to_string(ABSL_LTS_RELEASE_VERSION));
  for (const char* container : {"hash_index", "hash_map"}) add_map_side<Way>(registry, container, "absl_flat_hash_map");
  registry->add_side("hash_index", "read_batch_16",
                     {.name = "absl_flat_hash_map", .run = &MapRuns<Way>::read_hit, .max_threads = Way::kThreads});
}

#else

void add_absl_flat_hash_map(Registry* registry) { registry->add_absent_peer("absl_flat_hash_map", "libabsl-dev"); }

#endif

}  // namespace scree::bench

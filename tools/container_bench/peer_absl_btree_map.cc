// SPDX-License-Identifier: Apache-2.0
//
// absl::btree_map, which is for one thread alone.

#include <cstdint>
#include <string>
#include <string_view>

#include "map_runs.h"
#include "registry.h"

#if SCREE_BENCH_ABSL
#include <absl/base/config.h>
#include <absl/container/btree_map.h>
#include <absl/strings/string_view.h>
#endif

namespace scree::bench {

#if SCREE_BENCH_ABSL

namespace {

// Abseil's string_view may be a class of its own.
struct View : absl::string_view {
  explicit View(std::string_view bytes) : absl::string_view(bytes.data(), bytes.size()) {}
};

template <class W, class M, class Query>
struct AbslWay : StandardMapWay<W, M, Query> {
  static constexpr unsigned kThreads = 1;
  static constexpr bool kErases = true;
  static constexpr bool kOrdered = true;

  static bool erase(M* map, typename W::KeyView key) { return map->erase(Query(key)) != 0; }
};

using NumberWay = AbslWay<NumberWorkload, absl::btree_map<std::uint64_t, std::uint64_t>, std::uint64_t>;
using ByteWay = AbslWay<ByteWorkload, absl::btree_map<std::string, std::string>, View>;

}  // namespace

void add_absl_btree_map(Registry* registry) {
  const std::string version = "Abseil " + std::to_string(ABSL_LTS_RELEASE_VERSION);
  registry->add_peer("absl_btree_map", version);
  add_map_side<NumberWay>(registry, "tree_index", "absl_btree_map");
  registry->add_peer("absl_btree_map_bytes", version);
  add_map_side<ByteWay>(registry, "tree_index_bytes", "absl_btree_map_bytes");
}

#else

void add_absl_btree_map(Registry* registry) {
  for (const char* name : {"absl_btree_map", "absl_btree_map_bytes"}) registry->add_absent_peer(name, "libabsl-dev");
}

#endif

}  // namespace scree::bench

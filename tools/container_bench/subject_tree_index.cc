// SPDX-License-Identifier: Apache-2.0
//
// scree::TreeIndex.

#include <scree/tree_index.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>

#include "ordered_map.h"
#include "registry.h"

namespace scree::bench {
namespace {

struct TreeIndexWay {
  using Map = TreeIndex<std::uint64_t, std::uint64_t>;
  static constexpr unsigned kThreads = std::numeric_limits<unsigned>::max();
  static constexpr bool kErases = true;

  static bool insert(Map* map, std::uint64_t key, std::uint64_t value) { return map->insert(key, value); }
  static bool read(const Map& map, std::uint64_t key, std::uint64_t* value) {
    return map.read(key, [&](std::uint64_t, std::uint64_t found) { *value = found; });
  }
  static bool erase(Map* map, std::uint64_t key) { return map->remove(key); }
  static std::uint64_t scan(const Map& map, std::uint64_t from, std::uint64_t entries) {
    const ebr::Barrier barrier;
    Map::Cursor cursor = map.cursor(barrier);
    std::uint64_t sum = 0;
    cursor.seek(from);
    for (; entries != 0 && cursor.valid(); --entries, cursor.next()) sum += cursor.value();
    return sum;
  }
  static std::uint64_t scan_all(const Map& map) {
    const ebr::Barrier barrier;
    Map::Cursor cursor = map.cursor(barrier);
    std::uint64_t sum = 0;
    for (cursor.seek_to_first(); cursor.valid(); cursor.next()) sum += cursor.value();
    return sum;
  }
};

// The reads of read_hit, 16 at a time.
Status read_batch_16(const RunRequest& request, double* nanoseconds) {
  const OrderedMapKeys& keys = OrderedMapKeys::of(request.n);
  const TreeIndexWay::Map& map = shared_ordered_map<TreeIndexWay>(request.n);
  return run_parts(request, nanoseconds, request.n, [&](std::uint64_t first, std::uint64_t last) {
    std::uint64_t found = 0;
    const std::span<const std::uint64_t> mine(keys.shuffled.data() + first, last - first);
    for (std::size_t i = 0; i < mine.size(); i += 16) {
      const auto some = mine.subspan(i, std::min<std::size_t>(16, mine.size() - i));
      map.read_batch(some, [&](std::size_t, std::uint64_t key, std::uint64_t value) { found += key == value ? 1 : 0; });
    }
    return found;
  });
}

}  // namespace

void add_tree_index(Registry* registry) {
  add_ordered_map<TreeIndexWay>(registry, "tree_index");
  registry->add({.name = "read_batch_16",
                 .container = {.name = "tree_index", .run = &read_batch_16},
                 .default_n = kOrderedMapEntries,
                 .max_n = kOrderedMapMost});
  // Against itself: the same reads one by one.
  registry->add_side("tree_index", "read_batch_16",
                     {.name = "tree_index", .run = &OrderedMapRuns<TreeIndexWay>::read_hit});
}

}  // namespace scree::bench

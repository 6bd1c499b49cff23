// SPDX-License-Identifier: Apache-2.0
//
// scree::TreeIndex, of numbers and of byte strings.

#include <scree/bytes.h>
#include <scree/tree_index.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include "collect.h"
#include "ordered_map.h"
#include "registry.h"

namespace scree::bench {
namespace {

template <class W, class M>
struct TreeIndexWay {
  using Workload = W;
  using KeyView = typename W::KeyView;
  using Map = M;
  static constexpr unsigned kThreads = std::numeric_limits<unsigned>::max();
  static constexpr bool kErases = true;

  static bool insert(Map* map, KeyView key, typename W::ValueView value) { return map->insert(key, value); }
  template <class F>
  static bool read(const Map& map, KeyView key, const F& f) {
    return map.read(key, [&](const auto&, const auto& value) { f(value); });
  }
  static bool erase(Map* map, KeyView key) { return map->remove(key); }
  template <class F>
  static void scan(const Map& map, KeyView from, std::uint64_t entries, const F& f) {
    const ebr::Barrier barrier;
    typename Map::Cursor cursor = map.cursor(barrier);
    cursor.seek(from);
    for (; entries != 0 && cursor.valid(); --entries, cursor.next()) f(cursor.value());
  }
  template <class F>
  static void scan_all(const Map& map, const F& f) {
    const ebr::Barrier barrier;
    typename Map::Cursor cursor = map.cursor(barrier);
    for (cursor.seek_to_first(); cursor.valid(); cursor.next()) f(cursor.value());
  }
  static Status settle() { return collect_everything(); }
};

using NumberWay = TreeIndexWay<NumberWorkload, TreeIndex<std::uint64_t, std::uint64_t>>;
using ByteWay = TreeIndexWay<ByteWorkload, TreeIndex<std::string, Bytes>>;

// The reads of read_hit, 16 at a time.
Status read_batch_16(const RunRequest& request, double* nanoseconds) {
  const OrderedMapKeys& keys = OrderedMapKeys::of(request.n);
  const OrderedMaps<NumberWay>* kept = nullptr;
  if (Status status = kept_ordered_maps<NumberWay>(request.n, 1, &kept); !status.is_ok()) return status;
  const NumberWay::Map& map = *kept->front();
  const Load load{.expected = OrderedMapRuns<NumberWay>::sum_of_digests(request.n), .passes = passes_over(request.n)};
  return run_load(request, nanoseconds, load, [&](std::size_t, std::uint64_t first, std::uint64_t last) {
    std::uint64_t sum = 0;
    const std::span<const std::uint64_t> mine(keys.shuffled.data() + first, last - first);
    for (std::size_t i = 0; i < mine.size(); i += 16) {
      const auto some = mine.subspan(i, std::min<std::size_t>(16, mine.size() - i));
      map.read_batch(some, [&](std::size_t, std::uint64_t, std::uint64_t value) { sum += value; });
    }
    return sum;
  });
}

}  // namespace

void add_tree_index(Registry* registry) {
  add_ordered_map<NumberWay>(registry, "tree_index");
  registry->add({.name = "read_batch_16",
                 .container = {.name = "tree_index", .run = &read_batch_16},
                 .default_n = kOrderedMapEntries,
                 .max_n = NumberWorkload::kMost});
  // Against itself: the same reads one by one.
  registry->add_side("tree_index", "read_batch_16",
                     {.name = "tree_index", .run = &OrderedMapRuns<NumberWay>::read_hit});
  add_ordered_map<ByteWay>(registry, "tree_index_bytes");
}

}  // namespace scree::bench

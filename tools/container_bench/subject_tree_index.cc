// SPDX-License-Identifier: Apache-2.0
//
// scree::TreeIndex, of numbers and of byte strings.

#include <scree/bytes.h>
#include <scree/tree_index.h>

#include <cstdint>
#include <limits>
#include <string>

#include "collect.h"
#include "map_runs.h"
#include "read_batch.h"
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
  static constexpr bool kOrdered = true;

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

}  // namespace

void add_tree_index(Registry* registry) {
  add_map<NumberWay>(registry, "tree_index");
  add_read_batch_16<NumberWay>(registry, "tree_index");
  add_map<ByteWay>(registry, "tree_index_bytes");
}

}  // namespace scree::bench

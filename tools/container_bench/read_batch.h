// SPDX-License-Identifier: Apache-2.0
//
// Reads of an index of ours several at a time.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "map_runs.h"
#include "registry.h"

namespace scree::bench {

// The reads of read_hit, 16 at a time, of numbers.
template <class Way>
Status read_batch_16(const RunRequest& request, double* nanoseconds) {
  const MapKeys& keys = MapKeys::of(request.n);
  const Maps<Way>* kept = nullptr;
  if (Status status = kept_maps<Way>(request.n, 1, &kept); !status.is_ok()) return status;
  const typename Way::Map& map = *kept->front();
  const Load load{.expected = MapRuns<Way>::sum_of_digests(request.n), .passes = passes_over(request.n)};
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

// Against itself, too: the same reads one by one.
template <class Way>
void add_read_batch_16(Registry* registry, const std::string& name) {
  registry->add({.name = "read_batch_16",
                 .container = {.name = name, .run = &read_batch_16<Way>},
                 .default_n = kMapEntries,
                 .max_n = Way::Workload::kMost});
  registry->add_side(name, "read_batch_16", {.name = name, .run = &MapRuns<Way>::read_hit});
}

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0
//
// Benchmarks of ordered maps from numbers to numbers. The keys are splitmix64 of 0 to n - 1, put in in this order, read
// and erased in a shuffled one that is the same in every run.
//
// A way of doing it is a type with:
//   Map                                              default-constructible, empty at first
//   static bool insert(Map*, std::uint64_t key, std::uint64_t value)
//   static bool read(const Map&, std::uint64_t key, std::uint64_t* value)
//   static bool erase(Map*, std::uint64_t key)
//   static std::uint64_t scan(const Map&, std::uint64_t from, std::uint64_t entries)   the sum of values
//   static std::uint64_t scan_all(const Map&)                                          the same
//   static constexpr unsigned kThreads                how many it bears at once
//   static constexpr bool kErases                     whether it can erase beside others

#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "contender.h"
#include "registry.h"
#include "timed_threads.h"

namespace scree::bench {

// What the maps with the interface of std::map have in common.
template <class M>
struct StandardMapWay {
  using Map = M;

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

inline constexpr std::uint64_t kOrderedMapEntries = 1'000'000;
inline constexpr std::uint64_t kOrderedMapMost = 50'000'000;  // a few gigabytes
inline constexpr std::uint64_t kScanLength = 100;

inline std::uint64_t splitmix64(std::uint64_t i) {
  std::uint64_t x = i + 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// The keys in both orders, made once for each n.
struct OrderedMapKeys {
  explicit OrderedMapKeys(std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) in_order.push_back(splitmix64(i));
    shuffled = in_order;
    for (std::uint64_t i = n; i > 1; --i) std::swap(shuffled[i - 1], shuffled[splitmix64(~i) % i]);
  }
  static const OrderedMapKeys& of(std::uint64_t n) {
    static std::unique_ptr<OrderedMapKeys> last;
    if (last == nullptr || last->in_order.size() != n) last = std::make_unique<OrderedMapKeys>(n);
    return *last;
  }

  std::vector<std::uint64_t> in_order, shuffled;
};

template <class Way>
std::unique_ptr<typename Way::Map> filled_ordered_map(std::uint64_t n) {
  auto map = std::make_unique<typename Way::Map>();
  for (const std::uint64_t key : OrderedMapKeys::of(n).in_order) Way::insert(map.get(), key, key);
  return map;
}
// One that runs only look at. The last one of each kind is kept.
template <class Way>
typename Way::Map& shared_ordered_map(std::uint64_t n) {
  static std::unique_ptr<typename Way::Map> last;
  static std::uint64_t entries = 0;
  if (last == nullptr || entries != n) last = filled_ordered_map<Way>(n);
  entries = n;
  return *last;
}

// Runs `work(first, last)` on each thread, for its part of [0, n); it returns what is summed up and must be `expected`.
template <class Work>
Status run_parts(const RunRequest& request, double* nanoseconds, std::uint64_t expected, const Work& work) {
  std::atomic<std::uint64_t> next{0}, sum{0};
  *nanoseconds = run_on_threads(request.threads, [&](Lap& lap) {
    const std::uint64_t part = next.fetch_add(1, std::memory_order_relaxed);
    lap.start();
    const std::uint64_t mine =
        work(part * request.operations_per_thread(), (part + 1) * request.operations_per_thread());
    lap.stop();
    sum.fetch_add(mine, std::memory_order_relaxed);
  });
  if (sum.load() == expected) return Status::ok();
  return Status::corruption("the results add up to " + std::to_string(sum.load()) + " instead of " +
                            std::to_string(expected));
}

template <class Way>
struct OrderedMapRuns {
  using Map = typename Way::Map;

  static Status insert_random(const RunRequest& request, double* nanoseconds) {
    const OrderedMapKeys& keys = OrderedMapKeys::of(request.n);
    Map map;
    return run_parts(request, nanoseconds, request.n, [&](std::uint64_t first, std::uint64_t last) {
      std::uint64_t fresh = 0;
      for (std::uint64_t i = first; i < last; ++i) {
        fresh += Way::insert(&map, keys.in_order[i], i) ? 1 : 0;
      }
      return fresh;
    });
  }
  static Status insert_ascending(const RunRequest& request, double* nanoseconds) {
    Map map;
    return run_parts(request, nanoseconds, request.n, [&](std::uint64_t first, std::uint64_t last) {
      std::uint64_t fresh = 0;
      for (std::uint64_t i = first; i < last; ++i) fresh += Way::insert(&map, i, i) ? 1 : 0;
      return fresh;
    });
  }
  static Status read_hit(const RunRequest& request, double* nanoseconds) {
    const OrderedMapKeys& keys = OrderedMapKeys::of(request.n);
    const Map& map = shared_ordered_map<Way>(request.n);
    return run_parts(request, nanoseconds, request.n, [&](std::uint64_t first, std::uint64_t last) {
      std::uint64_t found = 0, value = 0;
      for (std::uint64_t i = first; i < last; ++i) {
        found += Way::read(map, keys.shuffled[i], &value) && value == keys.shuffled[i] ? 1 : 0;
      }
      return found;
    });
  }
  static Status read_miss(const RunRequest& request, double* nanoseconds) {
    const OrderedMapKeys& keys = OrderedMapKeys::of(request.n);
    const Map& map = shared_ordered_map<Way>(request.n);
    return run_parts(request, nanoseconds, 0, [&](std::uint64_t first, std::uint64_t last) {
      std::uint64_t found = 0, value = 0;
      for (std::uint64_t i = first; i < last; ++i) found += Way::read(map, keys.shuffled[i] + 1, &value) ? 1 : 0;
      return found;
    });
  }
  // An operation is one entry.
  static Status scan_100(const RunRequest& request, double* nanoseconds) {
    const OrderedMapKeys& keys = OrderedMapKeys::of(request.n);
    const Map& map = shared_ordered_map<Way>(request.n);
    std::atomic<std::uint64_t> sum{0};
    return run_parts(request, nanoseconds, 0, [&](std::uint64_t first, std::uint64_t last) {
      std::uint64_t mine = 0;
      for (std::uint64_t i = first; i < last; i += kScanLength) mine += Way::scan(map, keys.shuffled[i], kScanLength);
      sum.fetch_add(mine, std::memory_order_relaxed);
      return 0;
    });
  }
  // Each thread scans everything; so an operation is one entry of one thread's scan.
  static Status scan_all(const RunRequest& request, double* nanoseconds) {
    const Map& map = shared_ordered_map<Way>(request.n);
    std::uint64_t expected = 0;
    for (const std::uint64_t key : OrderedMapKeys::of(request.n).in_order) expected += key;
    const Status status = run_parts(request, nanoseconds, request.threads * expected,
                                    [&](std::uint64_t, std::uint64_t) { return Way::scan_all(map); });
    *nanoseconds /= request.threads;
    return status;
  }
  static Status erase(const RunRequest& request, double* nanoseconds) {
    const OrderedMapKeys& keys = OrderedMapKeys::of(request.n);
    const auto map = filled_ordered_map<Way>(request.n);
    return run_parts(request, nanoseconds, request.n, [&](std::uint64_t first, std::uint64_t last) {
      std::uint64_t erased = 0;
      for (std::uint64_t i = first; i < last; ++i) erased += Way::erase(map.get(), keys.shuffled[i]) ? 1 : 0;
      return erased;
    });
  }

  // Calls `add(name, run)` for each benchmark that the way can do.
  template <class Add>
  static void for_each(const Add& add) {
    add("insert_random", &insert_random);
    add("insert_ascending", &insert_ascending);
    add("read_hit", &read_hit);
    add("read_miss", &read_miss);
    add("scan_100", &scan_100);
    add("scan_all", &scan_all);
    if constexpr (Way::kErases) add("erase", &erase);
  }
};

template <class Way>
void add_ordered_map(Registry* registry, const std::string& name) {
  OrderedMapRuns<Way>::for_each([&](const char* benchmark, auto run) {
    registry->add({.name = benchmark,
                   .container = {.name = name, .run = run},
                   .default_n = kOrderedMapEntries,
                   .max_n = kOrderedMapMost});
  });
}
template <class Way>
void add_ordered_map_side(Registry* registry, const std::string& container, const std::string& peer) {
  OrderedMapRuns<Way>::for_each([&](const char* benchmark, auto run) {
    registry->add_side(container, benchmark, {.name = peer, .run = run, .max_threads = Way::kThreads});
  });
}

}  // namespace scree::bench

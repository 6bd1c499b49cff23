// SPDX-License-Identifier: Apache-2.0
//
// Benchmarks of maps, ordered ones and others.
//
// A way of doing it is a type with:
//   Workload                                          what is put in (map_workload.h): KeyView and ValueView are its
//   Map                                               default-constructible, empty at first
//   static bool insert(Map*, KeyView key, ValueView value)
//   static bool read(const Map&, KeyView key, f)      calls f(value) if the key is there
//   static bool erase(Map*, KeyView key)
//   static void scan_all(const Map&, f)               calls f(value) for each
//   static void scan(const Map&, KeyView from, std::uint64_t entries, f)   the same, of an ordered one
//   static Status settle()                            frees what waits to be freed
//   static constexpr unsigned kThreads                how many it bears at once
//   static constexpr bool kErases                     whether it can erase beside others
//   static constexpr bool kOrdered

#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "contender.h"
#include "keep.h"
#include "map_workload.h"
#include "memory_use.h"
#include "registry.h"
#include "timed_threads.h"

namespace scree::bench {

// What the maps with the interface of std::map have in common. They are asked with a `Query`, made of a KeyView.
template <class W, class M, class Query = typename W::KeyView>
struct StandardMapWay {
  using Workload = W;
  using KeyView = typename W::KeyView;
  using Map = M;

  static bool insert(Map* map, KeyView key, typename W::ValueView value) { return map->emplace(key, value).second; }
  template <class F>
  static bool read(const Map& map, KeyView key, const F& f) {
    const auto found = map.find(Query(key));
    if (found == map.end()) return false;
    f(found->second);
    return true;
  }
  template <class F>
  static void scan(const Map& map, KeyView from, std::uint64_t entries, const F& f) {
    for (auto i = map.lower_bound(Query(from)); entries != 0 && i != map.end(); --entries, ++i) f(i->second);
  }
  template <class F>
  static void scan_all(const Map& map, const F& f) {
    for (const auto& [key, value] : map) f(value);
  }
  static Status settle() { return Status::ok(); }
};

// What each thread of a run does.
struct Load {
  std::uint64_t expected = 0;         // what it adds up to for [0, n)
  bool each_does_everything = false;  // or its part of [0, n)
  std::uint64_t passes = 1;           // how often it does so

  std::uint64_t part(const RunRequest& request) const {
    return each_does_everything ? request.n : request.operations_per_thread();
  }
};

// Runs `work(thread, first, last)` on each thread. The results are added up and must be what is expected; the time is
// that of n operations.
template <class Work>
Status run_load(const RunRequest& request, double* nanoseconds, const Load& load, const Work& work) {
  const std::uint64_t part = load.part(request);
  std::atomic<std::size_t> next{0};
  std::atomic<std::uint64_t> sum{0};
  *nanoseconds = run_on_threads(request.threads, [&](Lap& lap) {
    const std::size_t thread = next.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t first = load.each_does_everything ? 0 : thread * part;
    std::uint64_t mine = 0;
    lap.start();
    for (std::uint64_t pass = 0; pass < load.passes; ++pass) mine += work(thread, first, first + part);
    lap.stop();
    sum.fetch_add(mine, std::memory_order_relaxed);
  });
  const std::uint64_t times = load.passes * (load.each_does_everything ? request.threads : 1);
  *nanoseconds /= static_cast<double>(times);
  const std::uint64_t expected = times * load.expected;
  if (sum.load() == expected) return Status::ok();
  return Status::corruption("the results add up to " + std::to_string(sum.load()) + " instead of " +
                            std::to_string(expected));
}

// How entry i's key is made.
template <class Way>
auto random_keys(std::uint64_t n) {
  return [&keys = MapKeys::of(n)](std::uint64_t i) { return typename Way::Workload::Key(keys.in_order[i]); };
}
template <class Way>
auto ascending_keys() {
  return [](std::uint64_t i) { return typename Way::Workload::Key(i); };
}

template <class Way, class KeyOf>
std::unique_ptr<typename Way::Map> filled_map(std::uint64_t n, const KeyOf& key_of) {
  auto map = std::make_unique<typename Way::Map>();
  for (std::uint64_t i = 0; i < n; ++i) Way::insert(map.get(), key_of(i), Way::Workload::value(i));
  return map;
}

template <class Way>
using Maps = std::vector<std::unique_ptr<typename Way::Map>>;

// At least so many that runs only look at. Those of the last n are kept. Before they are filled nothing waits to be
// freed: what an earlier benchmark left would be freed in between, and its blocks lie scattered.
template <class Way>
Status kept_maps(std::uint64_t n, std::size_t maps, const Maps<Way>** result) {
  static Maps<Way> kept;
  static std::uint64_t entries = 0;
  if (entries != n) kept.clear();
  entries = n;
  if (kept.size() < maps) {
    if (Status status = Way::settle(); !status.is_ok()) return status;
  }
  while (kept.size() < maps) kept.push_back(filled_map<Way>(n, random_keys<Way>(n)));
  *result = &kept;
  return Status::ok();
}

// How often a run that only looks goes over a map of n entries: small ones several times, so that neither the start of
// threads shows nor what the contender before left of them in the caches.
inline std::uint64_t passes_over(std::uint64_t n) { return std::max<std::uint64_t>(200'000 / n, 1); }
// Where an operation is one entry of many that come with it.
inline std::uint64_t scans_over(std::uint64_t n) { return std::max<std::uint64_t>(5'000'000 / n, 1); }

// The threads share a map. Or each has its own and does all the work with it, so that it does what one thread alone
// does.
template <class Way, bool kIndependent = false>
struct MapRuns {
  using Map = typename Way::Map;
  using Workload = typename Way::Workload;
  using Key = typename Workload::Key;

  static Status insert_random(const RunRequest& request, double* nanoseconds) {
    return insert(request, nanoseconds, random_keys<Way>(request.n));
  }
  static Status insert_ascending(const RunRequest& request, double* nanoseconds) {
    return insert(request, nanoseconds, ascending_keys<Way>());
  }
  static Status read_hit(const RunRequest& request, double* nanoseconds) {
    return read(request, nanoseconds, 0, sum_of_digests(request.n));
  }
  static Status read_miss(const RunRequest& request, double* nanoseconds) { return read(request, nanoseconds, 1, 0); }
  // An operation is one entry.
  static Status scan_100(const RunRequest& request, double* nanoseconds) {
    const MapKeys& keys = MapKeys::of(request.n);
    const Maps<Way>* kept = nullptr;
    if (Status status = kept_maps<Way>(request.n, maps_of(request), &kept); !status.is_ok()) return status;
    const Maps<Way>& maps = *kept;
    Load load{.each_does_everything = kIndependent, .passes = scans_over(request.n)};
    const std::uint64_t part = load.part(request);
    for (std::uint64_t first = 0; first < request.n; first += part) {
      for (std::uint64_t i = first; i < first + part; i += kScanLength) {
        load.expected += keys.scan_length(keys.shuffled[i]);
      }
    }
    return run_load(request, nanoseconds, load, [&](std::size_t thread, std::uint64_t first, std::uint64_t last) {
      std::uint64_t entries = 0, digests = 0;
      for (std::uint64_t i = first; i < last; i += kScanLength) {
        Way::scan(of(maps, thread), Key(keys.shuffled[i]), kScanLength, [&](typename Workload::ValueView value) {
          ++entries;
          digests += Workload::digest(value);
        });
      }
      keep(&digests);
      return entries;
    });
  }
  // Each thread scans everything; so an operation is one entry of one thread's scan.
  static Status scan_all(const RunRequest& request, double* nanoseconds) {
    const Maps<Way>* kept = nullptr;
    if (Status status = kept_maps<Way>(request.n, maps_of(request), &kept); !status.is_ok()) return status;
    const Maps<Way>& maps = *kept;
    const Load load{
        .expected = sum_of_digests(request.n), .each_does_everything = true, .passes = scans_over(request.n)};
    return run_load(request, nanoseconds, load, [&](std::size_t thread, std::uint64_t, std::uint64_t) {
      std::uint64_t digests = 0;
      Way::scan_all(of(maps, thread), [&](typename Workload::ValueView value) { digests += Workload::digest(value); });
      return digests;
    });
  }
  static Status erase(const RunRequest& request, double* nanoseconds) {
    if (Status status = Way::settle(); !status.is_ok()) return status;
    const MapKeys& keys = MapKeys::of(request.n);
    Maps<Way> maps(maps_of(request));
    for (auto& map : maps) map = filled_map<Way>(request.n, random_keys<Way>(request.n));
    const Load load{.expected = request.n, .each_does_everything = kIndependent};
    return run_load(request, nanoseconds, load, [&](std::size_t thread, std::uint64_t first, std::uint64_t last) {
      Map& map = of(maps, thread);
      std::uint64_t erased = 0;
      for (std::uint64_t i = first; i < last; ++i) erased += Way::erase(&map, Key(keys.shuffled[i])) ? 1 : 0;
      return erased;
    });
  }

  // Of a map that one thread fills.
  static Status memory(const RunRequest& request, double* bytes) {
    return memory_of(request, random_keys<Way>(request.n), bytes);
  }
  static Status memory_ascending(const RunRequest& request, double* bytes) {
    return memory_of(request, ascending_keys<Way>(), bytes);
  }
  // And empties.
  static Status memory_erased(const RunRequest& request, double* percent) {
    const MapKeys& keys = MapKeys::of(request.n);
    std::unique_ptr<Map> map;
    const auto fill = [&] { map = filled_map<Way>(request.n, random_keys<Way>(request.n)); };
    const auto empty = [&] {
      for (const std::uint64_t key : keys.shuffled) Way::erase(map.get(), Key(key));
    };
    std::vector<double> bytes;
    const Status status = settled_memory({fill, empty}, &bytes);
    if (status.is_ok()) *percent = 100 * std::max(bytes[1], 0.0) / bytes[0];
    return status;
  }

  // Of all values.
  static std::uint64_t sum_of_digests(std::uint64_t n) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < n; ++i) sum += Workload::digest(Workload::value(i));
    return sum;
  }

  // Calls `add(name, run)` for each benchmark of threads that the way can do.
  template <class Add>
  static void for_each(const Add& add) {
    if constexpr (Way::kOrdered) {
      add("insert_random", &insert_random);
      add("insert_ascending", &insert_ascending);
      add("scan_100", &scan_100);
    } else {
      add("insert_growing", &insert_random);
    }
    add("read_hit", &read_hit);
    add("read_miss", &read_miss);
    add("scan_all", &scan_all);
    if constexpr (Way::kErases) add("erase", &erase);
  }
  // And `add(name, run, what it measures)` for those of memory.
  template <class Add>
  static void for_each_of_memory(const Add& add) {
    add("memory", &memory, Measure::kBytes);
    if constexpr (Way::kOrdered) add("memory_ascending", &memory_ascending, Measure::kBytes);
    if constexpr (Way::kErases) add("memory_erased", &memory_erased, Measure::kPercent);
  }

 private:
  static std::size_t maps_of(const RunRequest& request) { return kIndependent ? request.threads : 1; }
  static Map& of(const Maps<Way>& maps, std::size_t thread) { return *maps[kIndependent ? thread : 0]; }

  // Of a child process when it has done each of the steps, and nothing waits to be freed.
  static Status settled_memory(const std::vector<std::function<void()>>& steps, std::vector<double>* bytes) {
    Workload::value(0);  // what values are cut from is made before, and is not counted
    if (Status status = Way::settle(); !status.is_ok()) return status;
    std::vector<std::function<Status()>> settled;
    for (const auto& step : steps) {
      settled.push_back([step] {
        step();
        return Way::settle();
      });
    }
    return memory_after(settled, bytes);
  }
  template <class KeyOf>
  static Status memory_of(const RunRequest& request, const KeyOf& key_of, double* bytes) {
    std::unique_ptr<Map> map;
    std::vector<double> after;
    const Status status = settled_memory({[&] { map = filled_map<Way>(request.n, key_of); }}, &after);
    if (status.is_ok()) *bytes = after.front();
    return status;
  }

  template <class KeyOf>
  static Status insert(const RunRequest& request, double* nanoseconds, const KeyOf& key_of) {
    // No contender pays for what goes with the map of its last run.
    if (Status status = Way::settle(); !status.is_ok()) return status;
    Maps<Way> maps(maps_of(request));
    for (auto& map : maps) map = std::make_unique<Map>();
    const Load load{.expected = request.n, .each_does_everything = kIndependent};
    return run_load(request, nanoseconds, load, [&](std::size_t thread, std::uint64_t first, std::uint64_t last) {
      Map& map = of(maps, thread);
      std::uint64_t fresh = 0;
      for (std::uint64_t i = first; i < last; ++i) {
        fresh += Way::insert(&map, key_of(i), Workload::value(i)) ? 1 : 0;
      }
      return fresh;
    });
  }
  // Of the keys that are `beyond` those that are there.
  static Status read(const RunRequest& request, double* nanoseconds, std::uint64_t beyond, std::uint64_t expected) {
    const MapKeys& keys = MapKeys::of(request.n);
    const Maps<Way>* kept = nullptr;
    if (Status status = kept_maps<Way>(request.n, maps_of(request), &kept); !status.is_ok()) return status;
    const Maps<Way>& maps = *kept;
    const Load load{.expected = expected, .each_does_everything = kIndependent, .passes = passes_over(request.n)};
    return run_load(request, nanoseconds, load, [&](std::size_t thread, std::uint64_t first, std::uint64_t last) {
      const Map& map = of(maps, thread);
      std::uint64_t digests = 0;
      for (std::uint64_t i = first; i < last; ++i) {
        Way::read(map, Key(keys.shuffled[i] + beyond),
                  [&](typename Workload::ValueView value) { digests += Workload::digest(value); });
      }
      return digests;
    });
  }
};

// A container of ours, and beside it, where there are several threads, what shows how it scales.
template <class Way>
void add_map(Registry* registry, const std::string& name) {
  const std::string one_thread = name + "_1_thread", independent = name + "_independent";
  registry->add_peer(one_thread, {});
  registry->add_peer(independent, {});
  const auto benchmark = [&](const char* benchmark_name, auto run) {
    return Benchmark{.name = benchmark_name,
                     .container = {.name = name, .run = run},
                     .default_n = kMapEntries,
                     .max_n = Way::Workload::kMost};
  };
  MapRuns<Way>::for_each([&](const char* benchmark_name, auto run) {
    registry->add(benchmark(benchmark_name, run));
    const auto alone = [run](const RunRequest& request, double* nanoseconds) {
      return run({.threads = 1, .n = request.n}, nanoseconds);
    };
    registry->add_side(name, benchmark_name, {.name = one_thread, .run = alone, .role = Role::kOneThread});
  });
  MapRuns<Way, true>::for_each([&](const char* benchmark_name, auto run) {
    registry->add_side(name, benchmark_name, {.name = independent, .run = run, .role = Role::kIndependent});
  });
  MapRuns<Way>::for_each_of_memory([&](const char* benchmark_name, auto run, Measure measure) {
    Benchmark of_memory = benchmark(benchmark_name, run);
    of_memory.only_threads = 1;
    of_memory.measure = measure;
    registry->add(of_memory);
  });
}
template <class Way>
void add_map_side(Registry* registry, const std::string& container, const std::string& peer) {
  MapRuns<Way>::for_each([&](const char* benchmark, auto run) {
    registry->add_side(container, benchmark, {.name = peer, .run = run, .max_threads = Way::kThreads});
  });
  MapRuns<Way>::for_each_of_memory([&](const char* benchmark, auto run, Measure) {
    registry->add_side(container, benchmark, {.name = peer, .run = run});
  });
}

}  // namespace scree::bench

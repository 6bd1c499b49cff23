// SPDX-License-Identifier: Apache-2.0
//
// Work that has the table of a hash container grow and shrink, again and again, and iterations beside it.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <scree/atomic.h>

#include "index_concurrency.h"

namespace scree::test {

inline constexpr std::uint64_t kStayInResizes = 50;  // these keys are there throughout: 0, 1, …
#if SCREE_SMALL_CAPACITIES
inline constexpr std::uint64_t kComeInResizes = 1'000;
#else
inline constexpr std::uint64_t kComeInResizes = 4'000;
#endif

// Two threads have keys come and go, one reserves room and gives it up, and one looks up those that stay, while the
// calling thread iterates: `iterate()` returns the numbers of the keys in its order.
template <class K, class V, class Container, class Iterate>
std::optional<std::string> iterate_beside_resizes(Container& container, int waves, Iterate&& iterate) {
  IterationPromise promise;
  for (std::uint64_t n = 0; n < kStayInResizes; ++n) {
    container.insert(numbered_key<K>(n), V(static_cast<std::int64_t>(n)));
    promise.present.insert(n);
  }
  const std::uint64_t end = kStayInResizes + kComeInResizes;
  for (std::uint64_t n = kStayInResizes; n < end; ++n) promise.changing.insert(n);

  constexpr std::size_t kWriters = 2;
  Atomic<std::size_t> writing{kWriters};
  Atomic<std::size_t> missed{0};
  StartLine start(kWriters + 3);
  std::vector<std::thread> threads;
  for (std::size_t w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      start.wait();
      for (int wave = 0; wave < waves; ++wave) {
        for (std::uint64_t n = kStayInResizes + w; n < end; n += kWriters) {
          container.insert(numbered_key<K>(n), V(static_cast<std::int64_t>(n)));
        }
        for (std::uint64_t n = kStayInResizes + w; n < end; n += kWriters) container.remove(numbered_key<K>(n));
      }
      --writing;
    });
  }
  threads.emplace_back([&] {
    std::mt19937_64 random(7);
    start.wait();
    while (writing != 0) {
      auto room = container.reserve(random() % (2 * kComeInResizes));
      for (std::uint64_t n = random() % 64; n != 0; --n) container.contains(numbered_key<K>(n));
      if (random() % 2 == 0) room = container.reserve(random() % 64);
    }
  });
  threads.emplace_back([&] {
    start.wait();
    while (writing != 0) {
      for (std::uint64_t n = 0; n < kStayInResizes; ++n) missed += container.contains(numbered_key<K>(n)) ? 0 : 1;
    }
  });
  start.wait();
  std::optional<std::string> violation;
  for (bool last = false; !violation && !last;) {
    last = writing == 0;  // one more when they are done
    violation = promise.violation(iterate());
  }
  for (std::thread& thread : threads) thread.join();
  if (!violation && missed != 0) violation = std::to_string(missed.load()) + " reads missed what was there";
  if (!violation && container.len() != kStayInResizes) violation = "len() is " + std::to_string(container.len());
  return violation;
}

}  // namespace scree::test

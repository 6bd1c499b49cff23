// SPDX-License-Identifier: Apache-2.0
//
// Concurrent work on an index, checked: single-key histories, and iterations beside writers.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <scree/atomic.h>
#include <scree/ebr.h>

#include "support/history.h"
#include "support/history_workload.h"
#include "support/iteration_check.h"
#include "support/start_line.h"

namespace scree::test {

// Keys of integers and of strings in the same order.
template <class K>
K numbered_key(std::uint64_t n) {
  if constexpr (std::is_same_v<K, std::string>) {
    return "key number " + std::to_string(1'000'000 + n);
  } else {
    return n;
  }
}
inline std::uint64_t number_of(std::uint64_t key) { return key; }
inline std::uint64_t number_of(std::string_view key) {
  return std::stoull(std::string(key.substr(sizeof("key number ") - 1))) - 1'000'000;
}

// A value that is no plain word: a torn or freed one shows.
class Cell {
 public:
  Cell(std::int64_t n) : n_(n), check_(~n) {}
  Cell(const Cell& other) = default;
  ~Cell() { check_ = n_; }
  operator std::int64_t() const noexcept { return check_ == ~n_ ? n_ : -1; }

 private:
  std::int64_t n_;
  std::int64_t check_;
};

// Does what an event says to an index of K and V. Where values lie within the nodes there is no find_or_insert.
template <class K, class V, bool kSharedCells, class Index>
auto performer(Index& index) {
  return [&index](Event& e) {
    const K key = numbered_key<K>(e.key);
    if (!kSharedCells && e.op == Op::kFindOrInsert) e.op = Op::kInsert;
    switch (e.op) {
      case Op::kInsert:
        e.ok = index.insert(key, V(e.argument));
        break;
      case Op::kUpsert:
        e.ok = index.upsert(key, V(e.argument));
        break;
      case Op::kRemove:
        e.ok = index.remove(key);
        break;
      case Op::kRemoveIfOdd:
        e.ok = index.remove_if(key, [](const V& value) { return value % 2 != 0; });
        break;
      case Op::kRead:
        e.result = index.read(key, [](const auto&, const V& value) { return std::int64_t{value}; });
        e.ok = e.result.has_value();
        break;
      case Op::kFindOrInsert:
        if constexpr (kSharedCells) {
          const ebr::Barrier barrier;
          const auto [value, inserted] = index.find_or_insert(key, barrier, e.argument);
          e.result = std::int64_t{value};
          e.ok = inserted;
        }
        break;
      case Op::kUpdate:
        e.ok = index.update(key, [&](const V& value) {
          e.result = std::int64_t{value};
          return V(e.argument);
        });
        if (!e.ok) e.result.reset();
        break;
    }
  };
}

// Keys n % 4 == 0 are present throughout (and now and then replaced), n % 2 == 1 come and go, n % 4 == 2 are gone
// before the iterations begin. Two writers work on the index, in waves that let it grow and shrink, while the calling
// thread iterates: `iterate(barrier)`, or `iterate()`, returns the numbers of the keys in its order. `clears`: a writer
// also clears the index, and no key counts as present throughout.
template <class K, class V, class Index, class Iterate>
std::optional<std::string> iterate_beside_writers(Index& index, std::uint64_t keys, int waves, Order order, bool clears,
                                                  Iterate&& iterate) {
  IterationPromise promise;
  promise.order = order;
  for (std::uint64_t n = 0; n < keys; ++n) {
    if (n % 2 == 0) index.insert(numbered_key<K>(n), V(static_cast<std::int64_t>(n)));
    if (n % 2 == 1 || (n % 4 == 0 && clears)) promise.changing.insert(n);
    if (n % 4 == 0 && !clears) promise.present.insert(n);
  }
  for (std::uint64_t n = 2; n < keys; n += 4) index.remove(numbered_key<K>(n));

  constexpr std::size_t kWriters = 2;
  Atomic<std::size_t> writing{kWriters};
  StartLine start(kWriters + 1);
  std::vector<std::thread> writers;
  for (std::size_t w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      std::mt19937_64 random(w);
      start.wait();
      for (int wave = 0; wave < waves; ++wave) {
        for (std::uint64_t i = 0; i < keys / 2; ++i) {
          // In order in some waves, at random in others; more is inserted in even waves, removed in odd ones.
          const std::uint64_t n = (wave % 4 < 2 ? i : random() % (keys / 2)) * 2 + 1;
          if (n < keys && (random() % 8 != 0) == (wave % 2 == 0)) {
            index.insert(numbered_key<K>(n), V(static_cast<std::int64_t>(n)));
          } else {
            index.remove(numbered_key<K>(n));
          }
          if (i % 8 == 0) {
            const std::uint64_t present = random() % ((keys + 3) / 4) * 4;
            if (present < keys) index.upsert(numbered_key<K>(present), V(static_cast<std::int64_t>(present)));
          }
        }
        if (clears && w == 0) index.clear();
      }
      --writing;
    });
  }
  start.wait();
  std::optional<std::string> violation;
  for (bool last = false; !violation && !last;) {
    last = writing == 0;  // one more when they are done
    if constexpr (requires { iterate(); }) {
      violation = promise.violation(iterate());
    } else {
      const ebr::Barrier barrier;
      violation = promise.violation(iterate(barrier));
    }
  }
  for (std::thread& writer : writers) writer.join();
  return violation;
}

// The keys of a range-for, as numbers; its values must belong to them.
template <class V, class Range>
std::vector<std::uint64_t> numbers_in(Range range) {
  std::vector<std::uint64_t> numbers;
  for (auto [key, value] : range) {
    numbers.push_back(number_of(key));
    if (std::int64_t{value} != static_cast<std::int64_t>(numbers.back())) numbers.back() = UINT64_MAX;
  }
  return numbers;
}

}  // namespace scree::test

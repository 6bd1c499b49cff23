// SPDX-License-Identifier: Apache-2.0
//
// What the tests of TreeIndex's awaitable operations share: an index, threads that are stopped in a structural change
// of it, and coroutines.

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <scree/tree_index.h>

#include "awaiting.h"
#include "stop_at.h"
#include "support/coroutine.h"
#include "waiting_thread.h"

namespace scree::test {

using Numbers = TreeIndex<std::uint64_t, std::int64_t>;

// A value out of line.
class Cell {
 public:
  Cell(std::int64_t value) : value_(value) {}  // NOLINT(google-explicit-constructor): as a number
  Cell(const Cell& other) : value_(other.value_) {}
  Cell& operator=(const Cell& other) = default;
  ~Cell() { value_ = kDestroyed; }
  operator std::int64_t() const { return value_; }  // NOLINT(google-explicit-constructor)

 private:
  static constexpr std::int64_t kDestroyed = -77;
  std::int64_t value_;
};

inline Coroutine insert_one(Numbers& index, std::uint64_t key, bool& result) {
  const bool fresh = co_await index.insert_async(key, -1);
  result = fresh;
}

// 0, 10, 20, …
template <class Index>
void fill(Index& index, std::uint64_t entries) {
  for (std::uint64_t n = 0; n < entries; ++n) index.insert(n * 10, 0);
}

// A change of an index that was filled so, and the sync point at which its thread is stopped. It is made of odd keys
// that come, or multiples of ten that go.
struct Stop {
  enum class Change { kGrow, kThin, kEmpty };
  static constexpr std::uint64_t kFirstGone = 400, kEndGone = 700;

  template <class Index>
  void run(Index& index) const {
    switch (change) {
      case Change::kGrow:
        for (std::uint64_t n = 5001; n < 5100; n += 2) index.insert(n, 0);
        break;
      case Change::kThin:
        for (std::uint64_t n = kFirstGone; n < kEndGone; ++n) {
          if (n % 3 != 0) index.remove(n * 10);
        }
        for (std::uint64_t n = kFirstGone; n < kEndGone; ++n) {
          if (!stays(n)) index.remove(n * 10);
        }
        break;
      case Change::kEmpty:
        // Downwards, so that leaves become empty beside full ones.
        for (std::uint64_t n = kEndGone; n-- > kFirstGone;) index.remove(n * 10);
        break;
    }
  }
  bool stays(std::uint64_t n) const { return change == Change::kGrow || n < kFirstGone || n >= kEndGone || n % 6 == 0; }
  std::string name() const {
    std::string name = point + 5;
    std::replace(name.begin(), name.end(), ':', '_');
    return name + "_of_" + std::to_string(entries);
  }

  const char* point;
  Change change;
  std::uint64_t entries;  // 5000: inner nodes below the root
  // Where coroutines write: the n of the keys 10 n.
  std::uint64_t first = 380;
  std::uint64_t end = 720;
  bool leaves_keys = true;  // where it is stopped
};

inline constexpr Stop kStops[] = {
    {"tree:split:frozen", Stop::Change::kGrow, 1000},
    {"tree:split:frozen", Stop::Change::kGrow, 5000},
    {"tree:split:published", Stop::Change::kGrow, 1000, 380, 720, false},
    {"tree:split:published", Stop::Change::kGrow, 5000, 380, 720, false},
    {"tree:merge:frozen", Stop::Change::kThin, 1000},
    {"tree:merge:frozen", Stop::Change::kThin, 5000},
    {"tree:unlink:frozen", Stop::Change::kEmpty, 1000, 380, 720, false},
    {"tree:unlink:frozen", Stop::Change::kEmpty, 5000, 380, 720, false},
};

}  // namespace scree::test

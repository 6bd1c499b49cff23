// SPDX-License-Identifier: Apache-2.0
//
// The iteration promise of the containers, as a check of what one iteration visited: an entry that was present
// throughout exactly once, one that was inserted or removed meanwhile at most once, anything else not at all.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace scree::test {

enum class Order { kNone, kAscending, kDescending };

struct IterationPromise {
  std::set<std::uint64_t> present;   // throughout
  std::set<std::uint64_t> changing;  // inserted or removed meanwhile, perhaps often
  Order order = Order::kNone;

  // Nothing if `visited` keeps the promise, else what is wrong.
  std::optional<std::string> violation(const std::vector<std::uint64_t>& visited) const {
    std::map<std::uint64_t, int> times;
    for (std::uint64_t key : visited) {
      if (++times[key] > 1) return "visited key " + std::to_string(key) + " twice";
      if (!present.contains(key) && !changing.contains(key)) return "visited absent key " + std::to_string(key);
    }
    for (std::uint64_t key : present) {
      if (!times.contains(key)) return "missed key " + std::to_string(key);
    }
    for (std::size_t i = 1; order != Order::kNone && i < visited.size(); ++i) {
      if ((visited[i - 1] < visited[i]) != (order == Order::kAscending)) {
        return "key " + std::to_string(visited[i]) + " came after " + std::to_string(visited[i - 1]);
      }
    }
    return std::nullopt;
  }
};

}  // namespace scree::test

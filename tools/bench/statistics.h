// SPDX-License-Identifier: Apache-2.0
//
// What is said of a series of runs: its median, and how far it spreads.

#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace scree::bench {

struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
};

// Of at least one value.
inline Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return {.median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2,
          .min = values.front(),
          .max = values.back()};
}

// combine(a[i], b[i]) for each pair of runs, which followed one another.
template <typename Combine>
std::vector<double> pair_by_pair(const std::vector<double>& a, const std::vector<double>& b, Combine combine) {
  std::vector<double> result;
  for (std::size_t i = 0; i < a.size(); ++i) result.push_back(combine(a[i], b[i]));
  return result;
}

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "histogram.h"

namespace scree::bench {
namespace {

std::vector<std::uint64_t> wide_range_of_values() {
  return *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint64_t>>(
      rc::gen::map(rc::gen::pair(rc::gen::arbitrary<std::uint64_t>(), rc::gen::inRange(0, 64)),
                   [](const std::pair<std::uint64_t, int>& drawn) { return drawn.first >> drawn.second; })));
}

RC_GTEST_PROP(Histogram, percentiles_are_within_a_64th_of_the_sorted_values, ()) {
  std::vector<std::uint64_t> values = wide_range_of_values();
  Histogram histogram;
  for (const std::uint64_t value : values) histogram.add(value);
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.0, 0.5, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(values.size())));
    const auto exact = static_cast<double>(values[rank == 0 ? 0 : rank - 1]);
    RC_ASSERT(std::abs(histogram.percentile(fraction) - exact) <= exact / 64 + 1e-9);
  }
  RC_ASSERT(histogram.min() == values.front());
  RC_ASSERT(histogram.max() == values.back());
}

RC_GTEST_PROP(Histogram, merging_two_is_adding_all_values_to_one, ()) {
  Histogram together;
  Histogram merged;
  for (int part = 0; part < 2; ++part) {
    Histogram histogram;
    for (const std::uint64_t value : wide_range_of_values()) {
      histogram.add(value);
      together.add(value);
    }
    merged.merge(histogram);
  }
  RC_ASSERT(merged.count() == together.count());
  RC_ASSERT(merged.average() == together.average());
  RC_ASSERT(merged.min() == together.min());
  RC_ASSERT(merged.max() == together.max());
  for (const double fraction : {0.1, 0.5, 0.9, 0.999}) {
    RC_ASSERT(merged.percentile(fraction) == together.percentile(fraction));
  }
}

TEST(Histogram, an_empty_one_answers_zero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.percentile(0.99), 0);
  EXPECT_EQ(histogram.average(), 0);
  EXPECT_EQ(histogram.min(), 0u);
  EXPECT_EQ(histogram.max(), 0u);
}

}  // namespace
}  // namespace scree::bench

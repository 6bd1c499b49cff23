// SPDX-License-Identifier: Apache-2.0
//
// What every benchmark tool reports, and its JSON: one object of `machine`, `results` and `ratios`, so that scripts
// read the output of all of them alike.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "histogram.h"
#include "host.h"

namespace scree::bench {

// All counted runs of one subject in one benchmark: the time that they took or, if one of the last two is given,
// memory.
struct SubjectResult {
  std::string benchmark;
  std::string subject;
  unsigned threads = 0;
  std::uint64_t n = 0;
  double operations_per_second = 0;
  double nanoseconds_per_operation = 0;
  Histogram latency;  // empty: not measured, and absent from the JSON
  std::optional<double> bytes_per_entry = std::nullopt;
  std::optional<double> percent_left = std::nullopt;  // of the bytes when all entries have been removed
};

// Subject against peer in one benchmark, pair by pair. The tool says what is divided by what.
struct Ratio {
  std::string benchmark;
  std::string subject;
  std::string peer;
  unsigned threads = 0;
  std::uint64_t n = 0;
  double median = 0;
  double min = 0;
  double max = 0;
  unsigned pairs = 0;
  std::optional<double> difference_ns =
      std::nullopt;  // per operation, ours - the peer's; absent from JSON if not given
};

std::string results_as_json(const Facts& machine, std::span<const SubjectResult> results,
                            std::span<const Ratio> ratios);

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0
//
// How results are shown: RocksDB's result line, a histogram, the table of a comparison, and JSON.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results.h"
#include "runner.h"

namespace scree::bench {

// "fillrandom   :       6.312 micros/op 158436 ops/sec 6.312 seconds 1000000 operations;   17.5 MB/s", byte for byte
// as RocksDB's db_bench prints it: micros/op is summed thread time, ops/sec is wall clock.
std::string result_line(const Measurement& measurement);

// "readreverse  : skipped (scree_hash has no order)"
std::string skipped_line(std::string_view benchmark, std::string_view reason);

// The lines that --histogram prints behind the result line.
std::string histogram_text(const Measurement& measurement);

struct Report {
  Facts machine;
  std::uint64_t n = 0;  // of every result and ratio
  std::vector<SubjectResult> results;
  std::vector<Ratio> ratios;  // throughput ÷ throughput; those of a benchmark stand in the order of their two results
};

// One line per ratio, as a Markdown table.
std::string ratio_table(const Report& report);

std::string to_json(const Report& report);

}  // namespace scree::bench

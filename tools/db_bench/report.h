// SPDX-License-Identifier: Apache-2.0
//
// How results are shown: RocksDB's result line, a histogram, the table of a comparison, and JSON.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runner.h"

namespace scree::bench {

// "fillrandom   :       6.312 micros/op 158436 ops/sec 6.312 seconds 1000000 operations;   17.5 MB/s", byte for byte
// as RocksDB's db_bench prints it: micros/op is summed thread time, ops/sec is wall clock.
std::string result_line(const Measurement& measurement);

// "readreverse  : skipped (scree_hash has no order)"
std::string skipped_line(std::string_view benchmark, std::string_view reason);

// The lines that --histogram prints behind the result line.
std::string histogram_text(const Measurement& measurement);

// All counted runs of one subject in one benchmark.
struct SubjectResult {
  std::string benchmark;
  std::string subject;
  unsigned threads = 0;
  double operations_per_second = 0;
  double nanoseconds_per_operation = 0;
  Histogram latency;
};

// Subject against peer in one benchmark: throughput ÷ throughput, pair by pair.
struct Ratio {
  std::string benchmark;
  std::string subject;
  std::string peer;
  unsigned threads = 0;
  double median = 0;
  double min = 0;
  double max = 0;
  unsigned pairs = 0;
};

struct Report {
  std::vector<std::pair<std::string, std::string>> machine;
  std::uint64_t n = 0;
  std::vector<SubjectResult> results;
  std::vector<Ratio> ratios;  // those of a benchmark stand in the order of their two results
};

// One line per ratio, as a Markdown table.
std::string ratio_table(const Report& report);

std::string to_json(const Report& report);

}  // namespace scree::bench

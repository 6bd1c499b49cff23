// SPDX-License-Identifier: Apache-2.0

#include "table.h"

#include "text.h"

namespace scree::bench {
namespace {

std::string row(const SubjectResult& result, const std::string& ratio, const std::string& spread,
                const std::string& difference) {
  return format("| %-23s | %7u | %11llu | %-28s | %9.2f | %6s | %-14s | %10s |\n", result.benchmark.c_str(),
                result.threads, static_cast<unsigned long long>(result.n), result.subject.c_str(),
                result.nanoseconds_per_operation, ratio.c_str(), spread.c_str(), difference.c_str());
}

}  // namespace

std::string table_head() {
  return format("| %-23s | %7s | %11s | %-28s | %9s | %6s | %-14s | %10s |\n", "benchmark", "threads", "n", "contender",
                "ns/op", "ratio", "min to max", "difference") +
         "|-------------------------|--------:|------------:|------------------------------|----------:|-------:|"
         "----------------|-----------:|\n";
}

std::string table_rows(const Comparison& comparison) {
  std::string rows = row(comparison.results.front(), {}, {}, {});
  for (std::size_t i = 0; i < comparison.ratios.size(); ++i) {
    const Ratio& ratio = comparison.ratios[i];
    rows += row(comparison.results[i + 1], format("%.2f", ratio.median), format("%.2f to %.2f", ratio.min, ratio.max),
                format("%+.2f", ratio.difference_ns.value_or(0)));
  }
  return rows;
}

}  // namespace scree::bench

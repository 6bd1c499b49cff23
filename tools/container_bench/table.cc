// SPDX-License-Identifier: Apache-2.0

#include "table.h"

#include "text.h"

namespace scree::bench {
namespace {

std::string cost_of(const SubjectResult& result) {
  if (result.bytes_per_entry) return format("%.2f B", *result.bytes_per_entry);
  if (result.percent_left) return format("%.2f %%", *result.percent_left);
  return format("%.2f", result.nanoseconds_per_operation);
}

std::string row(const SubjectResult& result, const std::string& ratio, const std::string& spread,
                const std::string& difference) {
  return format("| %-23s | %7u | %11llu | %-28s | %9s | %6s | %-14s | %10s |\n", result.benchmark.c_str(),
                result.threads, static_cast<unsigned long long>(result.n), result.subject.c_str(),
                cost_of(result).c_str(), ratio.c_str(), spread.c_str(), difference.c_str());
}

// A scaling is the inverse of a ratio of times.
std::string scaling_of(const Ratio& times) {
  return format("%10.2f | %-14s", 1 / times.median, format("%.2f to %.2f", 1 / times.max, 1 / times.min).c_str());
}

}  // namespace

std::string table_head() {
  return format("| %-23s | %7s | %11s | %-28s | %9s | %6s | %-14s | %10s |\n", "benchmark", "threads", "n", "contender",
                "ns/op", "ratio", "min to max", "difference") +
         "|-------------------------|--------:|------------:|------------------------------|----------:|-------:|"
         "----------------|-----------:|\n";
}

std::string table_rows(const Comparison& comparison) {
  std::string rows;
  for (std::size_t i = 0; i < comparison.results.size(); ++i) {
    std::string median, spread, difference;
    if (i != 0 && !comparison.ratios.empty()) {
      const Ratio& ratio = comparison.ratios[i - 1];
      median = format("%.2f", ratio.median);
      spread = format("%.2f to %.2f", ratio.min, ratio.max);
      if (ratio.difference_ns) difference = format("%+.2f", *ratio.difference_ns);
    }
    rows += row(comparison.results[i], median, spread, difference);
  }
  return rows;
}

std::string scaling_table(std::span<const Scaling> scalings) {
  std::string table = format("| %-23s | %-16s | %7s | %10s | %-14s | %11s | %-14s |\n", "benchmark", "container",
                             "threads", "scaling", "min to max", "independent", "min to max");
  table +=
      "|-------------------------|------------------|--------:|-----------:|----------------|------------:|"
      "----------------|\n";
  for (const Scaling& scaling : scalings) {
    table +=
        format("| %-23s | %-16s | %7u | %s |  %s |\n", scaling.shared.benchmark.c_str(), scaling.shared.subject.c_str(),
               scaling.shared.threads, scaling_of(scaling.shared).c_str(), scaling_of(scaling.independent).c_str());
  }
  return table;
}

}  // namespace scree::bench

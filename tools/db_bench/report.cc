// SPDX-License-Identifier: Apache-2.0

#include "report.h"

#include <algorithm>

#include "text.h"

namespace scree::bench {
namespace {

const SubjectResult* find_result(const Report& report, const std::string& benchmark, const std::string& subject) {
  for (const SubjectResult& result : report.results) {
    if (result.benchmark == benchmark && result.subject == subject) return &result;
  }
  return nullptr;
}

double microseconds(const Histogram& latency, double fraction) { return latency.percentile(fraction) / 1000; }

}  // namespace

std::string result_line(const Measurement& m) {
  const double megabytes_per_second =
      m.wall_seconds > 0 ? static_cast<double>(m.bytes) / 1048576.0 / m.wall_seconds : 0;
  return format("%-12s : %11.3f micros/op %ld ops/sec %.3f seconds %llu operations; %6.1f MB/s%s%s", m.name.c_str(),
                m.microseconds_per_operation(), static_cast<long>(m.operations_per_second()), m.wall_seconds,
                static_cast<unsigned long long>(m.operations), megabytes_per_second, m.remark.empty() ? "" : " ",
                m.remark.c_str());
}

std::string skipped_line(std::string_view benchmark, std::string_view reason) {
  return format("%-12s : skipped (%s)", std::string(benchmark).c_str(), std::string(reason).c_str());
}

std::string histogram_text(const Measurement& m) {
  const Histogram& latency = m.latency;
  return format(
      "Microseconds of %s, %llu timed: Average: %.4f  Min: %.3f  Max: %.3f\n"
      "Percentiles: P50: %.2f P75: %.2f P99: %.2f P99.9: %.2f P99.99: %.2f",
      m.name.c_str(), static_cast<unsigned long long>(latency.count()), latency.average() / 1000,
      static_cast<double>(latency.min()) / 1000, static_cast<double>(latency.max()) / 1000, microseconds(latency, 0.5),
      microseconds(latency, 0.75), microseconds(latency, 0.99), microseconds(latency, 0.999),
      microseconds(latency, 0.9999));
}

std::string ratio_table(const Report& report) {
  if (report.ratios.empty()) return {};
  const std::string ours = report.ratios.front().subject + " ops/s";
  const std::string theirs = report.ratios.front().peer + " ops/s";
  const int width = static_cast<int>(std::max<std::size_t>(12, std::max(ours.size(), theirs.size())));
  std::string text = format("| %-23s | %*s | %*s | %5s | %-13s |\n", "benchmark", width, ours.c_str(), width,
                            theirs.c_str(), "ratio", "min to max");
  text += "|-------------------------|-" + std::string(static_cast<std::size_t>(width), '-') + ":|-" +
          std::string(static_cast<std::size_t>(width), '-') + ":|------:|---------------|\n";
  for (const Ratio& ratio : report.ratios) {
    const SubjectResult* subject = find_result(report, ratio.benchmark, ratio.subject);
    const SubjectResult* peer = find_result(report, ratio.benchmark, ratio.peer);
    const std::string spread = format("%.2f to %.2f", ratio.min, ratio.max);
    text += format("| %-23s | %*.0f | %*.0f | %5.2f | %-13s |\n", ratio.benchmark.c_str(), width,
                   subject ? subject->operations_per_second : 0, width, peer ? peer->operations_per_second : 0,
                   ratio.median, spread.c_str());
  }
  return text;
}

std::string to_json(const Report& report) {
  std::vector<SubjectResult> results = report.results;
  for (SubjectResult& result : results) result.n = report.n;
  std::vector<Ratio> ratios = report.ratios;
  for (Ratio& ratio : ratios) ratio.n = report.n;
  return results_as_json(report.machine, results, ratios);
}

}  // namespace scree::bench

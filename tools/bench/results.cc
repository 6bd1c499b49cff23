// SPDX-License-Identifier: Apache-2.0

#include "results.h"

#include "json.h"

namespace scree::bench {

std::string results_as_json(const Facts& machine, std::span<const SubjectResult> results,
                            std::span<const Ratio> ratios) {
  JsonWriter json;
  json.begin_object();
  json.name("machine");
  json.begin_object();
  for (const auto& [name, value] : machine) json.member(name, value);
  json.end_object();

  json.name("results");
  json.begin_array();
  for (const SubjectResult& result : results) {
    json.begin_object();
    json.member("benchmark", result.benchmark);
    json.member("subject", result.subject);
    json.member("threads", std::uint64_t{result.threads});
    json.member("n", result.n);
    if (result.bytes_per_entry) {
      json.member("bytes_per_entry", *result.bytes_per_entry);
    } else if (result.percent_left) {
      json.member("percent_left", *result.percent_left);
    } else {
      json.member("ops_per_second", result.operations_per_second);
      json.member("ns_per_op", result.nanoseconds_per_operation);
    }
    if (result.latency.count() != 0) {
      json.member("p50_us", result.latency.percentile(0.5) / 1000);
      json.member("p99_us", result.latency.percentile(0.99) / 1000);
      json.member("p999_us", result.latency.percentile(0.999) / 1000);
    }
    json.end_object();
  }
  json.end_array();

  json.name("ratios");
  json.begin_array();
  for (const Ratio& ratio : ratios) {
    json.begin_object();
    json.member("benchmark", ratio.benchmark);
    json.member("subject", ratio.subject);
    json.member("peer", ratio.peer);
    json.member("threads", std::uint64_t{ratio.threads});
    json.member("n", ratio.n);
    json.member("ratio", ratio.median);
    json.member("ratio_min", ratio.min);
    json.member("ratio_max", ratio.max);
    json.member("pairs", std::uint64_t{ratio.pairs});
    if (ratio.difference_ns) json.member("difference_ns", *ratio.difference_ns);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace scree::bench

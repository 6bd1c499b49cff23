// SPDX-License-Identifier: Apache-2.0
//
// container_bench: measures the containers against their peers, in one process and in turn.

#include <cstdio>
#include <vector>

#include "compare.h"
#include "flags.h"
#include "table.h"
#include "text.h"

namespace scree::bench {
namespace {

Status run(const Config& config, const Facts& machine) {
  // Found out now rather than after minutes of measuring.
  if (!config.json_path.empty()) {
    if (Status status = write_file(config.json_path, std::ios::app, {}); !status.is_ok()) return status;
  }
  for (const auto& [name, value] : machine) std::printf("%-13s %s\n", (name + ":").c_str(), value.c_str());
  for (const std::string& line : config.skipped) std::printf("%s\n", line.c_str());
  std::printf(
      "Medians of %u runs in turn; ratio: our time / the peer's, difference: ours - the peer's in ns/op\n"
      "(memory: bytes of an entry, or what is left of them when all have been removed)\n\n%s",
      config.reps, table_head().c_str());
  std::fflush(stdout);

  Comparison all;
  std::vector<Scaling> scalings;
  for (const Benchmark& benchmark : config.benchmarks) {
    const bool has_its_own = benchmark.only_threads.has_value();
    for (const unsigned threads : has_its_own ? std::vector{*benchmark.only_threads} : config.threads) {
      Comparison one;
      if (Status status = compare(benchmark, threads, config.n, config.reps, &one); !status.is_ok()) return status;
      std::fputs(table_rows(one).c_str(), stdout);
      std::fflush(stdout);
      all.results.insert(all.results.end(), one.results.begin(), one.results.end());
      all.ratios.insert(all.ratios.end(), one.ratios.begin(), one.ratios.end());
      if (!one.scaling) continue;
      scalings.push_back(*one.scaling);
      all.ratios.push_back(one.scaling->independent);
    }
  }
  if (!scalings.empty()) {
    std::printf("\nThroughput / that of one thread: all threads with one container, and with a container each\n\n%s",
                scaling_table(scalings).c_str());
  }
  if (config.json_path.empty()) return Status::ok();
  return write_file(config.json_path, std::ios::trunc, results_as_json(machine, all.results, all.ratios));
}

Facts machine_facts(const Registry& registry) {
  Facts facts = host_facts();
  facts.emplace_back("flags", SCREE_BENCH_FLAGS);
  facts.emplace_back("scree", SCREE_BENCH_VERSION);
  const Facts versions = registry.peer_versions();
  facts.insert(facts.end(), versions.begin(), versions.end());
  return facts;
}

int main(int argc, char** argv) {
  const Registry registry = all_contenders();
  Config config;
  Status status = parse_command_line(argc, argv, registry, &config);
  const bool understood = status.is_ok();
  if (understood) status = run(config, machine_facts(registry));
  if (status.is_ok()) return 0;
  std::fprintf(stderr, "container_bench: %s\n", status.to_string().c_str());
  return understood ? 1 : 2;
}

}  // namespace
}  // namespace scree::bench

int main(int argc, char** argv) { return scree::bench::main(argc, argv); }

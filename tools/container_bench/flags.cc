// SPDX-License-Identifier: Apache-2.0

#include "flags.h"

#include <algorithm>
#include <charconv>

#include "flag_values.h"

DEFINE_string(containers, "all", "Comma-separated containers to measure, or all");
DEFINE_string(peers, "all", "Comma-separated peers to measure them against, or all; empty for none");
DEFINE_string(benchmarks, "all", "Comma-separated benchmarks, or all");
DEFINE_string(threads, "1,2", "Comma-separated numbers of threads; each benchmark runs with each of them");
DEFINE_int64(
    n, -1,
    "Operations of a run, all threads together; -1 for as many as take every contender 50 ms. In stalled_reader "
    "2000000 by default and 5000000 at most: they all wait in memory for the reader");
DEFINE_int32(reps, 11, "Runs of each contender, in turn, after one that does not count");
DEFINE_string(json, "", "File to write machine, results and ratios to, as JSON");

namespace scree::bench {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The names in `list`, or all of those known.
Status parse_names(std::string_view flag, const std::string& list, const std::vector<std::string>& known,
                   std::vector<std::string>* names) {
  if (list == "all") {
    *names = known;
    return Status::ok();
  }
  for (const std::string_view name : split_at_commas(list)) {
    if (!contains(known, name)) {
      return Status::invalid_argument("--" + std::string(flag) + " knows all, " + joined(known) + got(name));
    }
    names->emplace_back(name);
  }
  return Status::ok();
}

Status parse_threads(Config* config) {
  constexpr unsigned kMostThreads = 1024;
  for (const std::string_view piece : split_at_commas(FLAGS_threads)) {
    unsigned threads = 0;
    const auto [end, error] = std::from_chars(piece.data(), piece.data() + piece.size(), threads);
    if (error != std::errc{} || end != piece.data() + piece.size() || threads < 1 || threads > kMostThreads) {
      return Status::invalid_argument("--threads must be numbers from 1 to " + std::to_string(kMostThreads) +
                                      " with commas between" + got(FLAGS_threads));
    }
    config->threads.push_back(threads);
  }
  return Status::ok();
}

Status parse_numbers(Config* config) {
  constexpr std::int64_t kMostOperations = 1'000'000'000'000;
  if (FLAGS_n != -1) {
    if (Status status = in_range("n", FLAGS_n, 1, kMostOperations, &config->n.emplace()); !status.is_ok())
      return status;
  }
  return in_range("reps", FLAGS_reps, 1, 1000, &config->reps);
}

Status select(const Registry& registry, Config* config) {
  std::vector<std::string> containers;
  std::vector<std::string> benchmarks;
  std::vector<std::string> peers;
  Status status = parse_names("containers", FLAGS_containers, registry.container_names(), &containers);
  if (status.is_ok()) status = parse_names("benchmarks", FLAGS_benchmarks, registry.benchmark_names(), &benchmarks);
  if (status.is_ok() && !FLAGS_peers.empty()) status = parse_names("peers", FLAGS_peers, registry.peer_names(), &peers);
  if (!status.is_ok()) return status;

  for (Benchmark benchmark : registry.benchmarks()) {
    if (!contains(containers, benchmark.container.name) || !contains(benchmarks, benchmark.name)) continue;
    std::erase_if(benchmark.peers, [&](const Contender& peer) { return !contains(peers, peer.name); });
    config->benchmarks.push_back(std::move(benchmark));
  }
  // Memory is measured first, while the process has none that the others leave behind.
  std::stable_partition(config->benchmarks.begin(), config->benchmarks.end(),
                        [](const Benchmark& benchmark) { return benchmark.measure != Measure::kNanoseconds; });
  if (config->benchmarks.empty()) {
    return Status::invalid_argument("--benchmarks names none that --containers has" + got(FLAGS_benchmarks));
  }
  for (const std::string& peer : peers) {
    const std::string package = registry.missing_package(peer);
    if (!package.empty()) {
      config->skipped.push_back(peer + ": skipped (not compiled in: " + package +
                                " was not found; tools/peers installs it)");
    }
  }
  return Status::ok();
}

}  // namespace

Status parse_command_line(int argc, char** argv, const Registry& registry, Config* config) {
  Status status = read_flags(
      argc, argv,
      "measures containers against their peers\nContainers: " + joined(registry.container_names()) +
          "\nPeers: " + joined(registry.peer_names()) + "\nBenchmarks: " + joined(registry.benchmark_names()));
  if (status.is_ok()) status = select(registry, config);
  if (status.is_ok()) status = parse_threads(config);
  if (status.is_ok()) status = parse_numbers(config);
  config->json_path = FLAGS_json;
  return status;
}

}  // namespace scree::bench

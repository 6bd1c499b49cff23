// SPDX-License-Identifier: Apache-2.0
//
// What the command line asked for, checked: the rest of the tool reads this and never a flag.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapter.h"

namespace scree::bench {

struct Benchmark;

struct Config {
  std::vector<const Benchmark*> benchmarks;
  const EngineEntry* engine = nullptr;
  const EngineEntry* peer = nullptr;  // null: no comparison
  unsigned pairs = 0;
  std::string json_path;  // empty: no JSON

  std::string directory;  // stores are subdirectories of it
  bool use_existing_db = false;

  std::uint64_t num = 0;
  std::optional<std::uint64_t> reads;
  std::optional<std::uint64_t> writes;
  unsigned threads = 1;
  std::chrono::seconds duration{0};  // 0: run by count
  std::size_t key_size = 0;
  std::size_t value_size = 0;
  std::uint64_t batch_size = 1;
  std::uint64_t seek_nexts = 0;
  bool reverse_iterator = false;
  std::uint64_t seed = 0;
  bool histogram = false;
  double compression_ratio = 0.5;
  std::uint64_t write_rate_limit = 0;  // bytes per second; 0: none
  bool sync = false;                   // each write waits for the disk
  StoreOptions store;

  bool wants_latency() const { return histogram || !json_path.empty(); }
};

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

namespace package_index {

struct RunOptions {
  std::string data;
  std::string input;  // empty: apt-cache dumpavail
  unsigned threads = 2;
  unsigned rounds = 3;  // how often a child is killed
};

// The files below the data directory.
std::string store_directory(const std::string& data);
std::string list_file(const std::string& data);

// Indexes the list from nothing, with killed children on the way; returns the exit code.
int run(const RunOptions& options);

// What a child does until it is killed. Reports each acknowledged batch, as a BatchId, on the descriptor `reports`.
int work_until_killed(const std::string& data, unsigned threads, int reports);

}  // namespace package_index

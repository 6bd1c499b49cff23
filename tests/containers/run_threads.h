// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <thread>
#include <vector>

#include "support/start_line.h"

namespace scree::test {

// Runs body(0) … body(count - 1) on threads that begin together, and waits for their end.
void run_threads(std::size_t count, const auto& body) {
  StartLine start(count);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < count; ++t) {
    threads.emplace_back([&, t] {
      start.wait();
      body(t);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace scree::test

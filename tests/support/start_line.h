// SPDX-License-Identifier: Apache-2.0
//
// Lets threads begin together, so that what they do overlaps.

#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace scree::test {

class StartLine {
 public:
  explicit StartLine(std::size_t threads) : missing_(threads) {}

  void wait() {
    std::unique_lock lock(mutex_);
    if (--missing_ == 0) return all_there_.notify_all();
    all_there_.wait(lock, [this] { return missing_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_there_;
  std::size_t missing_;
};

}  // namespace scree::test

// SPDX-License-Identifier: Apache-2.0
//
// Stops the calling thread at a named sync point. Only where SCREE_SYNC_POINTS is 1.

#pragma once

#include <scree/sync_point.h>

#if SCREE_SYNC_POINTS

#include <functional>
#include <string_view>
#include <utility>

namespace scree::test {

// While one lives, its thread calls `reached` the first time that it comes to sync point `name`.
class StopAt {
 public:
  StopAt(std::string_view name, std::function<void()> reached) : name_(name), reached_(std::move(reached)) {
    current = this;
    sync_point_hook.store(&StopAt::hook, memory_order_release);
  }
  ~StopAt() { current = nullptr; }
  StopAt(const StopAt&) = delete;
  StopAt& operator=(const StopAt&) = delete;

 private:
  static void hook(const char* name) {
    if (current != nullptr && current->name_ == name) std::exchange(current, nullptr)->reached_();
  }

  static inline thread_local StopAt* current = nullptr;
  const std::string_view name_;
  const std::function<void()> reached_;
};

}  // namespace scree::test

#endif

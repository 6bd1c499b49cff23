// SPDX-License-Identifier: Apache-2.0
//
// Pauses whichever thread comes first to a named sync point, until it is let go. Only where SCREE_SYNC_POINTS is 1.

#pragma once

#include <scree/sync_point.h>

#if SCREE_SYNC_POINTS

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>

namespace scree::test {

// One at a time. While it lives, it also notes when a thread passes a second sync point, after the first was paused.
class PauseAt {
 public:
  explicit PauseAt(std::string_view name, std::string_view watched = {}) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      name_ = name;
      watched_ = watched;
      state_ = State::kArmed;
      passed_ = false;
    }
    sync_point_hook.store(&PauseAt::hook, memory_order_release);
  }
  ~PauseAt() {
    sync_point_hook.store(nullptr, memory_order_release);
    release();
  }
  PauseAt(const PauseAt&) = delete;
  PauseAt& operator=(const PauseAt&) = delete;

  // False if it does not happen within a minute.
  bool await_paused() {
    return wait([] { return state_ == State::kPaused; });
  }
  bool await_watched() {
    return wait([] { return passed_; });
  }
  void release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    state_ = State::kReleased;
    changed_.notify_all();
  }

 private:
  enum class State { kArmed, kPaused, kReleased };

  template <class Condition>
  static bool wait(Condition&& condition) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::minutes(1), condition);
  }
  static void hook(const char* name) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (state_ == State::kPaused && watched_ == name) {
      passed_ = true;
      changed_.notify_all();
    }
    if (state_ != State::kArmed || name_ != name) return;
    state_ = State::kPaused;
    changed_.notify_all();
    changed_.wait(lock, [] { return state_ == State::kReleased; });
  }

  // Not of one object: a thread may still be on its way out of the hook when the object ends.
  static inline std::mutex mutex_;
  static inline std::condition_variable changed_;
  static inline std::string_view name_;
  static inline std::string_view watched_;
  static inline State state_ = State::kReleased;
  static inline bool passed_ = false;
};

}  // namespace scree::test

#endif

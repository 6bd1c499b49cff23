// SPDX-License-Identifier: Apache-2.0
//
// A thread that runs up to a chosen point and stays there until it is told to go on.

#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace scree::test {

class WaitingThread {
 public:
  // Returns once the thread is at its pause, where `body(pause)` calls pause(), or has ended without one.
  template <class Body>
  explicit WaitingThread(Body body)
      : thread_([this, body = std::move(body)]() mutable {
          body([this] { pause(); });
          const std::lock_guard lock(mutex_);
          state_ = State::kEnded;
          changed_.notify_all();
        }) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return state_ != State::kRunning; });
  }
  ~WaitingThread() { finish(); }
  WaitingThread(const WaitingThread&) = delete;
  WaitingThread& operator=(const WaitingThread&) = delete;

  bool is_paused() {
    const std::lock_guard lock(mutex_);
    return state_ == State::kPaused;
  }

  // Lets the thread go on, and waits for its end.
  void finish() {
    {
      const std::lock_guard lock(mutex_);
      released_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  enum class State { kRunning, kPaused, kEnded };

  void pause() {
    std::unique_lock lock(mutex_);
    state_ = State::kPaused;
    changed_.notify_all();
    changed_.wait(lock, [this] { return released_; });
    state_ = State::kRunning;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kRunning;
  bool released_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace scree::test

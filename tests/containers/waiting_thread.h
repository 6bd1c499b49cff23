// SPDX-License-Identifier: Apache-2.0
//
// A thread that runs up to a chosen point and stays there until it is told to go on.

#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace scree::test {

class WaitingThread {
 public:
  // Returns once the thread is at its pause: `body(pause)` calls pause() there.
  template <class Body>
  explicit WaitingThread(Body body)
      : thread_([this, body = std::move(body)]() mutable { body([this] { pause(); }); }) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return paused_; });
  }
  ~WaitingThread() { finish(); }
  WaitingThread(const WaitingThread&) = delete;
  WaitingThread& operator=(const WaitingThread&) = delete;

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
  void pause() {
    std::unique_lock lock(mutex_);
    paused_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return released_; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool paused_ = false;
  bool released_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace scree::test

// SPDX-License-Identifier: Apache-2.0
//
// A thread that does what it is told, one thing at a time, and sleeps in between.

#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace scree::test {

class Worker {
 public:
  Worker() : thread_([this] { work(); }) {}
  ~Worker() { run(nullptr), thread_.join(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Returns once `task` has returned, on the worker's thread. An empty one ends the thread.
  void run(std::function<void()> task) {
    std::unique_lock lock(mutex_);
    task_ = std::move(task);
    has_task_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !has_task_; });
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (bool more = true; more;) {
      changed_.wait(lock, [this] { return has_task_; });
      more = task_ != nullptr;
      if (more) task_();
      has_task_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> task_;
  bool has_task_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace scree::test

// SPDX-License-Identifier: Apache-2.0
//
// A model thread's stack and registers. All fibers run on one thread of the operating system.

#pragma once

#include <cstddef>

namespace scree::model {

class Fiber {
 public:
  Fiber() = default;  // the caller's own stack, once it switches away
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // The next switch to this fiber calls entry(argument) on its own stack; entry must not return.
  void prepare(void (*entry)(void*), void* argument);

  static void switch_to(Fiber& from, Fiber& to);

  // Whether the address lies in the stack or the guard page before it.
  bool owns(const void* address) const;

 private:
  // Of the C++ runtime: the exceptions that a thread is handling.
  struct Exceptions {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };

  void* stack_pointer_ = nullptr;
  std::byte* stack_ = nullptr;  // never unmapped: fibers live as long as the process
  Exceptions exceptions_;
};

}  // namespace scree::model

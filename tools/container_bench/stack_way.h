// SPDX-License-Identifier: Apache-2.0
//
// scree::Stack for push_pop.h. The handles go at once, as most do.

#pragma once

#include <cstdint>

#include <scree/stack.h>

namespace scree::bench {

struct StackWay {
  using Container = Stack<std::uint64_t>;
  static void push(Container* stack, std::uint64_t number) { stack->push(number); }
  static bool pop(Container* stack, std::uint64_t* number) {
    const Container::Handle popped = stack->pop();
    if (popped) *number = *popped;
    return static_cast<bool>(popped);
  }
};

}  // namespace scree::bench

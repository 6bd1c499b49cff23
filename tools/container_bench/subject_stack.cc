// SPDX-License-Identifier: Apache-2.0
//
// scree::Stack. The handles go at once, as most do.

#include <scree/stack.h>

#include "push_pop.h"
#include "registry.h"

namespace scree::bench {
namespace {

struct StackWay {
  using Container = Stack<std::uint64_t>;
  static void push(Container* stack, std::uint64_t number) { stack->push(number); }
  static bool pop(Container* stack, std::uint64_t* number) {
    const Container::Handle popped = stack->pop();
    if (popped) *number = *popped;
    return static_cast<bool>(popped);
  }
};

}  // namespace

void add_stack(Registry* registry) {
  registry->add({.name = "push_pop", .container = {.name = "stack", .run = push_pop<StackWay>()}});
  registry->add({.name = "one_to_one",
                 .container = {.name = "stack", .run = one_to_one<StackWay>()},
                 .only_threads = kOneToOneThreads,
                 .max_n = kOneToOneMost});
}

}  // namespace scree::bench

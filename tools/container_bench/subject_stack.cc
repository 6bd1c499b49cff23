// SPDX-License-Identifier: Apache-2.0
//
// scree::Stack.

#include "push_pop.h"
#include "registry.h"
#include "stack_way.h"

namespace scree::bench {

void add_stack(Registry* registry) {
  registry->add({.name = "push_pop", .container = {.name = "stack", .run = push_pop<StackWay>()}});
  registry->add({.name = "one_to_one",
                 .container = {.name = "stack", .run = one_to_one<StackWay>()},
                 .only_threads = kOneToOneThreads,
                 .max_n = kOneToOneMost});
}

}  // namespace scree::bench

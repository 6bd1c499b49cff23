// SPDX-License-Identifier: Apache-2.0
//
// scree::Queue. The handles go at once, as most do.

#include <scree/queue.h>

#include "push_pop.h"
#include "registry.h"

namespace scree::bench {
namespace {

struct QueueWay {
  using Container = Queue<std::uint64_t>;
  static void push(Container* queue, std::uint64_t number) { queue->push(number); }
  static bool pop(Container* queue, std::uint64_t* number) {
    const Container::Handle popped = queue->pop();
    if (popped) *number = *popped;
    return static_cast<bool>(popped);
  }
};

}  // namespace

void add_queue(Registry* registry) {
  registry->add({.name = "push_pop", .container = {.name = "queue", .run = push_pop<QueueWay>()}});
  registry->add({.name = "one_to_one",
                 .container = {.name = "queue", .run = one_to_one<QueueWay>()},
                 .only_threads = kOneToOneThreads,
                 .max_n = kOneToOneMost});
}

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0
//
// scree::Bag, and scree::Stack as its peer: what order costs.

#include <cstdint>
#include <optional>

#include <scree/bag.h>

#include "push_pop.h"
#include "registry.h"
#include "stack_way.h"

namespace scree::bench {
namespace {

struct BagWay {
  using Container = Bag<std::uint64_t>;
  static void push(Container* bag, std::uint64_t number) { bag->push(number); }
  static bool pop(Container* bag, std::uint64_t* number) {
    const std::optional<std::uint64_t> popped = bag->pop();
    if (popped) *number = *popped;
    return popped.has_value();
  }
};

}  // namespace

void add_bag(Registry* registry) {
  registry->add_peer("stack", "");
  registry->add({.name = "push_pop", .container = {.name = "bag", .run = push_pop<BagWay>()}});
  registry->add_side("bag", "push_pop", {.name = "stack", .run = push_pop<StackWay>()});
  registry->add({.name = "one_to_one",
                 .container = {.name = "bag", .run = one_to_one<BagWay>()},
                 .only_threads = kOneToOneThreads,
                 .max_n = kOneToOneMost});
  registry->add_side("bag", "one_to_one", {.name = "stack", .run = one_to_one<StackWay>()});
}

}  // namespace scree::bench

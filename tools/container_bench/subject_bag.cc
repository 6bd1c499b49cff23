// SPDX-License-Identifier: Apache-2.0
//
// scree::Bag, and scree::Stack as its peer: what order costs.

#include <cstdint>
#include <optional>

#include <scree/bag.h>
#include <scree/stack.h>

#include "handle_way.h"
#include "push_pop.h"
#include "registry.h"

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
  add_push_pop<BagWay>(registry, "bag");
  add_push_pop_side<HandleWay<Stack>>(registry, "bag", "stack");
}

}  // namespace scree::bench

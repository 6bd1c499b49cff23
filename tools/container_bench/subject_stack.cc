// SPDX-License-Identifier: Apache-2.0
//
// scree::Stack.

#include <scree/stack.h>

#include "handle_way.h"
#include "push_pop.h"
#include "registry.h"

namespace scree::bench {

void add_stack(Registry* registry) { add_push_pop<HandleWay<Stack>>(registry, "stack"); }

}  // namespace scree::bench

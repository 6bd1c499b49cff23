// SPDX-License-Identifier: Apache-2.0
//
// scree::Queue.

#include <scree/queue.h>

#include "handle_way.h"
#include "push_pop.h"
#include "registry.h"

namespace scree::bench {

void add_queue(Registry* registry) { add_push_pop<HandleWay<Queue>>(registry, "queue"); }

}  // namespace scree::bench

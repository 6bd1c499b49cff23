// SPDX-License-Identifier: Apache-2.0
//
// The standard library's mutexes.

#include <mutex>
#include <shared_mutex>

#include "lock_section.h"
#include "registry.h"

namespace scree::bench {

void add_std_mutex(Registry* registry) {
  registry->add_peer("std_mutex", "");
  registry->add_side("lock", "lock_unlock", {.name = "std_mutex", .run = lock_unlock<std::mutex>()});
  registry->add_peer("std_shared_mutex", "");
  registry->add_side("lock", "lock_unlock", {.name = "std_shared_mutex", .run = lock_unlock<std::shared_mutex>()});
  registry->add_side("lock", "lock_unlock_shared",
                     {.name = "std_shared_mutex", .run = lock_unlock_shared<std::shared_mutex>()});
}

}  // namespace scree::bench

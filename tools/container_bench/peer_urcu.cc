// SPDX-License-Identifier: Apache-2.0
//
// liburcu's flavour that, like ours, leaves the fence to the writer by membarrier(2). Called out of line, as every
// program must whose licence does not let it inline liburcu's headers (_LGPL_SOURCE).

#include "read_section.h"
#include "registry.h"

#ifdef SCREE_BENCH_URCU_VERSION
#include <urcu/urcu-memb.h>
#endif

namespace scree::bench {

#ifdef SCREE_BENCH_URCU_VERSION

namespace {

struct Urcu {
  struct Thread {
    Thread() { urcu_memb_register_thread(); }
    ~Thread() { urcu_memb_unregister_thread(); }
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;
  };
  struct Section {
    Section() { urcu_memb_read_lock(); }
    ~Section() { urcu_memb_read_unlock(); }
  };
};

}  // namespace

void add_urcu_memb(Registry* registry) {
  registry->add_peer("urcu_memb", SCREE_BENCH_URCU_VERSION);
  registry->add_side("ebr", "enter_exit", {.name = "urcu_memb", .run = enter_exit<Urcu>()});
  registry->add_side("ebr", "nested_enter_exit", {.name = "urcu_memb", .run = nested_enter_exit<Urcu>()});
}

#else

void add_urcu_memb(Registry* registry) { registry->add_absent_peer("urcu_memb", "liburcu-dev"); }

#endif

}  // namespace scree::bench

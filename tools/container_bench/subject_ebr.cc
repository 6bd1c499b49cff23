// SPDX-License-Identifier: Apache-2.0
//
// What a reader pays for scree::ebr.

#include <scree/ebr.h>

#include "read_section.h"
#include "registry.h"

namespace scree::bench {
namespace {

struct Ebr {
  struct Thread {};
  using Section = ebr::Barrier;
};

}  // namespace

void add_ebr(Registry* registry) {
  registry->add({.name = "enter_exit", .container = {.name = "ebr", .run = enter_exit<Ebr>()}});
  registry->add({.name = "nested_enter_exit", .container = {.name = "ebr", .run = nested_enter_exit<Ebr>()}});
}

}  // namespace scree::bench

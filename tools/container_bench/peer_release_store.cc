// SPDX-License-Identifier: Apache-2.0
//
// The floor: a reader that announces itself by one store and takes the announcement back by another.

#include <atomic>
#include <cstdint>

#include "read_section.h"
#include "registry.h"

namespace scree::bench {
namespace {

constinit thread_local std::atomic<std::uint64_t> announced{0};

struct ReleaseStore {
  struct Thread {};
  struct Section {
    Section() { announced.store(1, std::memory_order_release); }
    ~Section() { announced.store(0, std::memory_order_release); }
  };
};

}  // namespace

void add_release_store(Registry* registry) {
  registry->add_peer("release_store", {});
  registry->add_side("ebr", "enter_exit", {.name = "release_store", .run = enter_exit<ReleaseStore>()});
  registry->add_side("ebr", "nested_enter_exit", {.name = "release_store", .run = nested_enter_exit<ReleaseStore>()});
}

}  // namespace scree::bench

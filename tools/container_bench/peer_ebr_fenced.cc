// SPDX-License-Identifier: Apache-2.0
//
// Epoch-based reclamation as it is without an asymmetric fence: the same work on entry and exit as in scree::ebr, and a
// full fence after the announcement. What a real one would do beyond this (registration) is left out, in its favour.

#include <atomic>
#include <cstdint>

#include "read_section.h"
#include "registry.h"

namespace scree::bench {
namespace {

struct alignas(128) Record {
  std::atomic<std::uint64_t> announced{0};
  std::uint32_t depth = 0;
};

constinit thread_local Record record;

// Nobody advances it here; a reader only loads it.
alignas(128) std::atomic<std::uint64_t> epoch{1};

struct Fenced {
  struct Thread {};
  struct Section {
    Section() {
      if (record.depth++ != 0) return;
      record.announced.store(epoch.load(std::memory_order_relaxed), std::memory_order_release);
      std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    ~Section() {
      if (--record.depth != 0) return;
      record.announced.store(0, std::memory_order_release);
    }
  };
};

}  // namespace

void add_ebr_fenced(Registry* registry) {
  registry->add_peer("ebr_fenced", {});
  registry->add_side("ebr", "enter_exit", {.name = "ebr_fenced", .run = enter_exit<Fenced>()});
  registry->add_side("ebr", "nested_enter_exit", {.name = "ebr_fenced", .run = nested_enter_exit<Fenced>()});
}

}  // namespace scree::bench

// SPDX-License-Identifier: Apache-2.0
//
// The example of README.md: reclamation by epochs, as it is shipped. No reader meets a freed node.

#include <gtest/gtest.h>

#include <scree/atomic.h>
#include <scree/ebr_barrier.h>
#include <scree_model/platform.h>

#include "model/explorer.h"

namespace {

using namespace scree;
using model::Plant;

model::Result explore_reader_and_reclaimer(model::Options options) {
  struct Node {
    Plain<int> value{7};
  };
  return model::explore(options, [](model::Program& p) {
    auto& root = p.make<Atomic<Node*>>(new Node);
    model::label(&root, "root");
    p.thread([&root] {
      const ebr::Barrier barrier;
      if (const Node* node = root.load(memory_order_acquire)) model::check(node->value == 7, "the node is whole");
    });
    p.thread([&root] {
      {
        const ebr::Barrier barrier;
        barrier.retire(root.exchange(nullptr, memory_order_acq_rel));
      }
      while (ebr::collect()) model::yield();
    });
  });
}

TEST(EpochExample, no_reader_meets_a_freed_node) {
  const model::Result r = explore_reader_and_reclaimer({.name = "epoch example", .preemptions = 1, .stale_reads = 1});
  EXPECT_TRUE(r.ok() && r.complete) << r.report();
}

TEST(EpochExample, fails_without_either_fence_or_with_weaker_announcements) {
  const char* const file = "ebr_domain.h";
  for (const Plant& plant :
       {Plant::drop(file, "A2"), Plant::drop(file, "E2f"), Plant::weaken(file, "E2"), Plant::weaken(file, "E3")}) {
    const model::Result r =
        explore_reader_and_reclaimer({.name = "epoch example", .preemptions = 1, .stale_reads = 1, .planted = {plant}});
    EXPECT_TRUE(r.error == model::Error::kUseAfterFree || r.error == model::Error::kUnorderedFree) << r.report();
  }
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
//
// Reclamation under the explorer: every schedule and every outcome within the bounds that the output names.

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "ebr_programs.h"

namespace scree::model {
namespace {

using Build = void (*)(Program&);

struct Case {
  const char* name;
  Build program;
  Options options = {};
};

void PrintTo(const Case& of, std::ostream* out) { *out << of.name; }

class EbrModel : public testing::TestWithParam<Case> {};

TEST_P(EbrModel, holds_within_the_bounds) {
  Options options = GetParam().options;
  options.name = GetParam().name;
  const Result result = explore(options, GetParam().program);
  EXPECT_TRUE(result.ok()) << result.report();
  EXPECT_TRUE(result.complete) << result.summary();
}

TEST_P(EbrModel, holds_at_random_beyond_the_bounds) {
  Options options = GetParam().options;
  options.name = GetParam().name;
  options.preemptions = -1;
  options.stale_reads = -1;
  options.delayed_stores = 4;
  options.max_executions = 0;
  options.random_executions = 20'000;
  const Result result = explore(options, GetParam().program);
  EXPECT_TRUE(result.ok()) << result.report();
}

INSTANTIATE_TEST_SUITE_P(
    Of, EbrModel,
    testing::Values(
        Case{"read_beside_a_collector", read_beside_a_collector},
        Case{"read_beside_a_collector_without_membarrier",
             read_beside_a_collector,
             {.membarrier = Membarrier::kRefusedAtStart}},
        Case{"read_beside_a_collector_whose_membarrier_may_fail",
             read_beside_a_collector,
             {.membarrier = Membarrier::kMayFailLater}},
        Case{"read_beside_a_collector_on_tso", read_beside_a_collector, {.memory = Memory::kTso}},
        Case{"read_twice_beside_a_collector", read_twice_beside_a_collector},
        Case{"read_in_nested_barriers", read_in_nested_barriers},
        Case{"read_beside_a_retirer_and_a_collector", read_beside_a_retirer_and_a_collector, {.preemptions = 1}},
        Case{"read_beside_a_retirer_and_a_collector_without_membarrier",
             read_beside_a_retirer_and_a_collector,
             {.preemptions = 1, .membarrier = Membarrier::kRefusedAtStart}},
        Case{"wake_up_beside_a_collector", wake_up_beside_a_collector},
        Case{"wake_up_beside_a_collector_without_membarrier",
             wake_up_beside_a_collector,
             {.membarrier = Membarrier::kRefusedAtStart}},
        Case{"wake_up_beside_two_collectors", wake_up_beside_two_collectors, {.preemptions = 1}},
        Case{"exit_beside_a_thread_that_begins", exit_beside_a_thread_that_begins},
        Case{"suspend_beside_a_collector", suspend_beside_a_collector},
        Case{"defer_beside_a_reader", defer_beside_a_reader},
        Case{"defer_in_pieces_beside_a_reader", defer_in_pieces_beside_a_reader},
        Case{"own_what_is_let_go", own_what_is_let_go}, Case{"own_what_is_stored_over", own_what_is_stored_over},
        Case{"release_both_owners", release_both_owners},
        Case{"change_what_another_owner_let_go", change_what_another_owner_let_go},
        Case{"clone_while_another_owner_goes", clone_while_another_owner_goes},
        Case{"exchange_beside_another", exchange_beside_another}, Case{"tag_what_is_swapped", tag_what_is_swapped}),
    [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace scree::model

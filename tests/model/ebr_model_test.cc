// SPDX-License-Identifier: Apache-2.0
//
// Reclamation under the explorer: every schedule and every outcome within the bounds that the output names.

#include <gtest/gtest.h>

#include "ebr_programs.h"
#include "program_suite.h"

namespace scree::model {
namespace {

class EbrModel : public ProgramTest {};
TEST_P(EbrModel, holds_within_the_bounds) { expect_holds_within_the_bounds(); }
TEST_P(EbrModel, holds_at_random_beyond_the_bounds) { expect_holds_at_random_beyond_the_bounds(); }

const Case kCases[] = {
    {"read_beside_a_collector", read_beside_a_collector},
    {"read_beside_a_collector_without_membarrier",
     read_beside_a_collector,
     {.membarrier = Membarrier::kRefusedAtStart}},
    {"read_beside_a_collector_whose_membarrier_may_fail",
     read_beside_a_collector,
     {.membarrier = Membarrier::kMayFailLater}},
    {"read_beside_a_collector_on_tso", read_beside_a_collector, {.memory = Memory::kTso}},
    {"read_beside_a_collector_with_three_preemptions", read_beside_a_collector, {.preemptions = 3}},
    {"read_beside_a_collector_with_fences_apart", read_beside_a_collector, {.membarrier_at_once = false}},
    {"read_twice_beside_a_collector", read_twice_beside_a_collector},
    {"read_in_nested_barriers", read_in_nested_barriers},
    {"read_beside_a_sealer_and_a_collector", read_beside_a_sealer_and_a_collector},
    {"read_beside_a_sealer_and_a_collector_without_membarrier",
     read_beside_a_sealer_and_a_collector,
     {.membarrier = Membarrier::kRefusedAtStart}},
    {"free_what_another_ended", free_what_another_ended, {.preemptions = 1}},
    {"wake_up_beside_a_collector", wake_up_beside_a_collector},
    {"wake_up_beside_a_collector_without_membarrier",
     wake_up_beside_a_collector,
     {.membarrier = Membarrier::kRefusedAtStart}},
    {"collect_beside_another", collect_beside_another, {.preemptions = 1}},
    {"exit_beside_a_thread_that_begins", exit_beside_a_thread_that_begins},
    {"suspend_beside_a_collector", suspend_beside_a_collector},
    {"defer_beside_a_reader", defer_beside_a_reader},
    {"defer_in_pieces_beside_a_reader", defer_in_pieces_beside_a_reader},
    {"own_what_is_let_go", own_what_is_let_go},
    {"own_what_is_stored_over", own_what_is_stored_over},
    {"store_over_what_another_made", store_over_what_another_made, {.preemptions = 1}},
    {"end_the_barrier_while_freeing", end_the_barrier_while_freeing},
    {"release_both_owners", release_both_owners},
    {"change_what_another_owner_let_go", change_what_another_owner_let_go},
    {"clone_while_another_owner_goes", clone_while_another_owner_goes},
    {"exchange_beside_another", exchange_beside_another},
    {"tag_what_is_swapped", tag_what_is_swapped},
};

INSTANTIATE_TEST_SUITE_P(Of, EbrModel, testing::ValuesIn(kCases), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model

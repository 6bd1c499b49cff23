// SPDX-License-Identifier: Apache-2.0
//
// Bag under the explorer: every schedule and every outcome within the bounds that the output names.

#include <gtest/gtest.h>

#include "bag_programs.h"
#include "program_suite.h"

namespace scree::model {
namespace {

class BagModel : public ProgramTest {};
TEST_P(BagModel, holds_within_the_bounds) { expect_holds_within_the_bounds(); }
TEST_P(BagModel, holds_at_random_beyond_the_bounds) { expect_holds_at_random_beyond_the_bounds(); }

const Case kCases[] = {
    {"pop_beside_a_push", pop_beside_a_push},
    {"pop_beside_a_pop", pop_beside_a_pop},
    {"push_beside_a_push", push_beside_a_push},
    {"pairs_beside_pairs", pairs_beside_pairs},
    {"push_that_throws_beside_a_push", push_that_throws_beside_a_push},
    {"look_into_a_bag_that_is_never_empty", look_into_a_bag_that_is_never_empty},
    {"look_into_blocks_that_are_never_empty", look_into_blocks_that_are_never_empty},
    {"look_into_blocks_that_get_over", look_into_blocks_that_get_over},
    {"look_while_it_is_filled_below", look_while_it_is_filled_below},
    {"pop_while_it_is_filled_below", pop_while_it_is_filled_below},
    {"look_while_a_block_is_filled", look_while_a_block_is_filled},
    {"pop_while_a_block_is_filled", pop_while_a_block_is_filled},
    {"look_behind_what_is_over", look_behind_what_is_over, {.preemptions = 1}},
    {"look_behind_a_block_that_is_over", look_behind_a_block_that_is_over, {.preemptions = 1}},
    {"pop_from_a_bag_that_is_never_empty", pop_from_a_bag_that_is_never_empty},
    {"link_a_block_beside_another", link_a_block_beside_another},
    {"link_a_block_beside_an_unlink", link_a_block_beside_an_unlink, {.preemptions = 1}},
    {"walk_beside_an_unlink", walk_beside_an_unlink, {.preemptions = 1}},
    {"walk_beside_an_unlink_in_the_middle", walk_beside_an_unlink_in_the_middle},
    {"unlink_neighbours", unlink_neighbours, {.preemptions = 1}},
    {"pop_all_beside_an_unlink_in_the_middle", pop_all_beside_an_unlink_in_the_middle, {.preemptions = 1}},
    {"empty_beside_another", empty_beside_another, {.preemptions = 1}},
    {"seal_beside_a_push", seal_beside_a_push},
    {"pop_all_beside_a_push", pop_all_beside_a_push, {.preemptions = 1}},
    {"pop_all_beside_pops", pop_all_beside_pops},
    {"pop_beside_two_pairs", pop_beside_two_pairs, {.preemptions = 1}},
};

INSTANTIATE_TEST_SUITE_P(Of, BagModel, testing::ValuesIn(kCases), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model

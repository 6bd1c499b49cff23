// SPDX-License-Identifier: Apache-2.0
//
// TreeIndex under the explorer: every schedule and every outcome within the bounds that the output names.

#include <gtest/gtest.h>

#include "program_suite.h"
#include "tree_programs.h"

namespace scree::model::tree {
namespace {

class TreeModel : public ProgramTest {};
TEST_P(TreeModel, holds_within_the_bounds) { expect_holds_within_the_bounds(); }
TEST_P(TreeModel, holds_at_random_beyond_the_bounds) { expect_holds_at_random_beyond_the_bounds(); }

// The bounds of programs that are longer than a few steps.
const Options kLong{.stale_reads = 1, .delayed_stores = 0, .random_executions = 1'000};
const Options kShort{.random_executions = 1'000};
const Options kThree{.preemptions = 1, .stale_reads = 1, .delayed_stores = 0, .random_executions = 1'000};
// Where there is no memory to retire something, it is never freed.
const Options kFailing{.preemptions = 1,
                       .stale_reads = 1,
                       .delayed_stores = 0,
                       .allocation_failures = 1,
                       .random_executions = 1'000,
                       .check_leaks = false};
const Case kCases[] = {
    {"insert_beside_insert_of_the_key", insert_beside_insert_of_the_key, kShort},
    {"insert_beside_insert_into_the_gap", insert_beside_insert_into_the_gap, kShort},
    {"insert_beside_remove", insert_beside_remove, kShort},
    {"insert_beside_remove_from_the_base", insert_beside_remove_from_the_base, kShort},
    {"upsert_beside_read", upsert_beside_read, kShort},
    {"upsert_beside_read_of_the_base", upsert_beside_read_of_the_base, kShort},
    {"upsert_beside_upsert", upsert_beside_upsert, kShort},
    {"upsert_beside_upsert_of_the_base", upsert_beside_upsert_of_the_base, kShort},
    {"remove_beside_remove", remove_beside_remove, kShort},
    {"remove_beside_remove_from_the_base", remove_beside_remove_from_the_base, kShort},
    {"remove_beside_read_in_the_leaf", remove_beside_read_in_the_leaf, kShort},
    {"copy_beside_copy", copy_beside_copy, kLong},
    {"copies_beside_copy", copies_beside_copy, kLong},
    {"publication_beside_copy", publication_beside_copy, kShort},
    {"publication_beside_copy_with_keys", publication_beside_copy_with_keys, kLong},
    {"copy_beside_remove", copy_beside_remove, kShort},
    {"copy_beside_read", copy_beside_read, kShort},
    {"copy_beside_reads", copy_beside_reads, kLong},
    {"copy_beside_walk", copy_beside_walk, kShort},
    {"two_copies_beside_remove", two_copies_beside_remove, kLong},
    {"remove_beside_comparison", remove_beside_comparison, kLong},
    {"remove_beside_copy_with_keys", remove_beside_copy_with_keys, kLong},
    {"remove_beside_remove_with_keys", remove_beside_remove_with_keys, kLong},
    {"remove_of_a_long_key_beside_comparison", remove_of_a_long_key_beside_comparison, kLong},
    {"split_beside_insert_into_the_leaf", split_beside_insert_into_the_leaf, kLong},
    {"split_beside_remove", split_beside_remove, kLong},
    {"split_beside_insert_into_the_neighbour", split_beside_insert_into_the_neighbour, kLong},
    {"split_beside_copies_of_the_neighbour", split_beside_copies_of_the_neighbour, kLong},
    {"split_beside_split_of_the_neighbour", split_beside_split_of_the_neighbour, kLong},
    {"split_beside_read", split_beside_read, kLong},
    {"split_beside_walk", split_beside_walk, kShort},
    {"split_beside_walk_back", split_beside_walk_back, kShort},
    {"split_with_keys_beside_read", split_with_keys_beside_read, kLong},
    {"failing_split_beside_insert", failing_split_beside_insert, kFailing},
    {"split_beside_copy_of_the_neighbour_and_read", split_beside_copy_of_the_neighbour_and_read, kThree},
    {"replacement_beside_upsert", replacement_beside_upsert, kLong},
    {"replacement_beside_read", replacement_beside_read, kLong},
    {"replacement_beside_copy_of_the_neighbour", replacement_beside_copy_of_the_neighbour, kLong},
    {"merge_beside_insert_into_the_neighbour", merge_beside_insert_into_the_neighbour, kLong},
    {"merge_beside_remove_from_the_neighbour", merge_beside_remove_from_the_neighbour, kLong},
    {"merge_beside_copy_of_the_neighbour", merge_beside_copy_of_the_neighbour, kLong},
    {"merge_beside_copies_of_the_neighbour", merge_beside_copies_of_the_neighbour, kLong},
    {"merge_beside_merge", merge_beside_merge, kLong},
    {"merge_beside_read", merge_beside_read, kLong},
    {"merge_beside_walk", merge_beside_walk, kLong},
    {"merge_beside_walk_back", merge_beside_walk_back, kLong},
    {"merge_with_keys_beside_read", merge_with_keys_beside_read, kLong},
    {"failing_merge_beside_upsert", failing_merge_beside_upsert, kFailing},
    {"merge_beside_copy_of_the_neighbour_and_read", merge_beside_copy_of_the_neighbour_and_read, kThree},
    {"unlink_beside_insert", unlink_beside_insert, kLong},
    {"unlink_beside_insert_into_the_neighbour", unlink_beside_insert_into_the_neighbour, kLong},
    {"unlink_beside_read", unlink_beside_read, kLong},
    {"unlink_beside_walk_back", unlink_beside_walk_back, kLong},
    {"root_growth_beside_read", root_growth_beside_read, kLong},
    {"root_growth_beside_insert", root_growth_beside_insert, kLong},
    {"root_growth_beside_walk", root_growth_beside_walk, kLong},
    {"split_below_the_root_beside_read", split_below_the_root_beside_read, kLong},
    {"split_below_the_root_beside_insert", split_below_the_root_beside_insert, kLong},
    {"root_shrinkage_beside_insert", root_shrinkage_beside_insert, kLong},
    {"root_shrinkage_beside_read", root_shrinkage_beside_read, kLong},
    {"merge_of_inner_nodes_beside_insert", merge_of_inner_nodes_beside_insert, kLong},
    {"merge_of_inner_nodes_beside_read", merge_of_inner_nodes_beside_read, kLong},
    {"root_shrinkage_by_pop_beside_insert", root_shrinkage_by_pop_beside_insert, kLong},
    {"update_beside_remove", update_beside_remove, kShort},
    {"update_beside_update", update_beside_update, kShort},
    {"update_beside_update_in_the_leaf", update_beside_update_in_the_leaf, kShort},
    {"update_beside_update_of_the_base", update_beside_update_of_the_base, kShort},
    {"update_beside_remove_from_the_base", update_beside_remove_from_the_base, kShort},
    {"update_beside_copy", update_beside_copy, kLong},
    {"update_beside_copy_in_the_leaf", update_beside_copy_in_the_leaf, kLong},
    {"exchange_beside_upsert", exchange_beside_upsert, kShort},
    {"exchange_beside_exchange", exchange_beside_exchange, kShort},
    {"exchange_beside_exchange_of_none", exchange_beside_exchange_of_none, kShort},
    {"exchange_beside_remove", exchange_beside_remove, kShort},
    {"exchange_beside_copy", exchange_beside_copy, kLong},
    {"exchange_beside_clear", exchange_beside_clear, kShort},
    {"pop_beside_pop", pop_beside_pop, kShort},
    {"pop_beside_pop_from_the_other_end", pop_beside_pop_from_the_other_end, kShort},
    {"pop_beside_insert_of_less", pop_beside_insert_of_less, kShort},
    {"pop_beside_insert_into_nothing", pop_beside_insert_into_nothing, kShort},
    {"pop_from_the_base_beside_insert", pop_from_the_base_beside_insert, kShort},
    {"pop_beside_read", pop_beside_read, kShort},
    {"pop_with_keys_beside_comparison", pop_with_keys_beside_comparison, kLong},
    {"pop_beside_copy", pop_beside_copy, kLong},
    {"pop_beside_clear", pop_beside_clear, kShort},
    {"pop_beside_split", pop_beside_split, kLong},
    {"pop_beside_unlink_of_the_first_leaf", pop_beside_unlink_of_the_first_leaf, kLong},
    {"pop_of_the_first_leaf_beside_insert", pop_of_the_first_leaf_beside_insert, kLong},
    {"pop_of_the_first_leaf_beside_pop", pop_of_the_first_leaf_beside_pop, kLong},
    {"pop_beside_unlink_of_the_last_leaf", pop_beside_unlink_of_the_last_leaf, kLong},
    {"pop_of_the_last_leaf_beside_insert", pop_of_the_last_leaf_beside_insert, kLong},
    {"failing_pop_beside_insert", failing_pop_beside_insert, kFailing},
    {"pop_beside_unlink_and_pop_from_the_other_end", pop_beside_unlink_and_pop_from_the_other_end, kThree},
    {"range_beside_insert", range_beside_insert, kLong},
    {"range_beside_insert_of_another", range_beside_insert_of_another, kLong},
    {"range_beside_upsert", range_beside_upsert, kLong},
    {"range_beside_remove", range_beside_remove, kLong},
    {"range_beside_read", range_beside_read, kLong},
    {"range_beside_comparison", range_beside_comparison, kLong},
    {"range_beside_removed_keys", range_beside_removed_keys, kLong},
    {"range_beside_walk", range_beside_walk, kLong},
    {"range_beside_walk_back", range_beside_walk_back, kLong},
    {"range_beside_split_of_the_neighbour", range_beside_split_of_the_neighbour, kLong},
    {"range_beside_copies_of_the_neighbour", range_beside_copies_of_the_neighbour, kLong},
    {"range_beside_range", range_beside_range, kLong},
    {"range_of_leaves_beside_insert", range_of_leaves_beside_insert, kLong},
    {"range_of_parts_of_leaves_beside_insert", range_of_parts_of_leaves_beside_insert, kLong},
    {"failing_range_beside_upsert", failing_range_beside_upsert, kFailing},
    {"range_of_the_only_leaf_beside_insert", range_of_the_only_leaf_beside_insert, kLong},
    {"range_of_the_only_leaf_beside_comparison", range_of_the_only_leaf_beside_comparison, kLong},
    {"root_shrinkage_by_a_range_beside_insert", root_shrinkage_by_a_range_beside_insert, kLong},
    {"clear_beside_insert", clear_beside_insert, kLong},
    {"clear_beside_copy", clear_beside_copy, kLong},
};

INSTANTIATE_TEST_SUITE_P(Of, TreeModel, testing::ValuesIn(kCases), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model::tree

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

const Options kFew{.preemptions = 1, .stale_reads = 1, .delayed_stores = 0};
const Case kCases[] = {
    {"insert_beside_insert_of_the_key", insert_beside_insert_of_the_key, kFew},
    {"insert_beside_insert_into_the_gap", insert_beside_insert_into_the_gap, kFew},
    {"insert_beside_remove", insert_beside_remove, kFew},
    {"insert_beside_remove_from_the_base", insert_beside_remove_from_the_base, kFew},
    {"upsert_beside_read", upsert_beside_read, kFew},
    {"upsert_beside_read_of_the_base", upsert_beside_read_of_the_base, kFew},
    {"upsert_beside_upsert", upsert_beside_upsert, kFew},
    {"upsert_beside_upsert_of_the_base", upsert_beside_upsert_of_the_base, kFew},
    {"remove_beside_remove", remove_beside_remove, kFew},
    {"remove_beside_remove_from_the_base", remove_beside_remove_from_the_base, kFew},
    {"remove_beside_read_in_the_leaf", remove_beside_read_in_the_leaf, kFew},
    {"copy_beside_copy", copy_beside_copy, kFew},
    {"copies_beside_copy", copies_beside_copy, kFew},
    {"copy_beside_remove", copy_beside_remove, kFew},
    {"copy_beside_read", copy_beside_read, kFew},
    {"copy_beside_reads", copy_beside_reads, kFew},
    {"copy_beside_walk", copy_beside_walk, kFew},
    {"two_copies_beside_remove", two_copies_beside_remove, kFew},
    {"remove_beside_comparison", remove_beside_comparison, kFew},
    {"remove_beside_copy_with_keys", remove_beside_copy_with_keys, kFew},
    {"remove_beside_remove_with_keys", remove_beside_remove_with_keys, kFew},
    {"remove_of_a_long_key_beside_comparison", remove_of_a_long_key_beside_comparison, kFew},
    {"split_beside_insert_into_the_leaf", split_beside_insert_into_the_leaf, kFew},
    {"split_beside_remove", split_beside_remove, kFew},
    {"split_beside_insert_into_the_neighbour", split_beside_insert_into_the_neighbour, kFew},
    {"split_beside_copies_of_the_neighbour", split_beside_copies_of_the_neighbour, kFew},
    {"split_beside_split_of_the_neighbour", split_beside_split_of_the_neighbour, kFew},
    {"split_beside_read", split_beside_read, kFew},
    {"split_beside_walk", split_beside_walk, kFew},
    {"split_beside_walk_back", split_beside_walk_back, kFew},
    {"split_with_keys_beside_read", split_with_keys_beside_read, kFew},
    {"merge_beside_insert_into_the_neighbour", merge_beside_insert_into_the_neighbour, kFew},
    {"merge_beside_remove_from_the_neighbour", merge_beside_remove_from_the_neighbour, kFew},
    {"merge_beside_copy_of_the_neighbour", merge_beside_copy_of_the_neighbour, kFew},
    {"merge_beside_copies_of_the_neighbour", merge_beside_copies_of_the_neighbour, kFew},
    {"merge_beside_merge", merge_beside_merge, kFew},
    {"merge_beside_read", merge_beside_read, kFew},
    {"merge_beside_walk", merge_beside_walk, kFew},
    {"merge_beside_walk_back", merge_beside_walk_back, kFew},
    {"merge_with_keys_beside_read", merge_with_keys_beside_read, kFew},
    {"unlink_beside_insert", unlink_beside_insert, kFew},
    {"unlink_beside_insert_into_the_neighbour", unlink_beside_insert_into_the_neighbour, kFew},
    {"unlink_beside_read", unlink_beside_read, kFew},
    {"unlink_beside_walk_back", unlink_beside_walk_back, kFew},
    {"root_growth_beside_read", root_growth_beside_read, kFew},
    {"root_growth_beside_insert", root_growth_beside_insert, kFew},
    {"root_growth_beside_walk", root_growth_beside_walk, kFew},
    {"root_shrinkage_beside_insert", root_shrinkage_beside_insert, kFew},
    {"root_shrinkage_beside_read", root_shrinkage_beside_read, kFew},
    {"merge_of_inner_nodes_beside_insert", merge_of_inner_nodes_beside_insert, kFew},
    {"merge_of_inner_nodes_beside_read", merge_of_inner_nodes_beside_read, kFew},
    {"clear_beside_insert", clear_beside_insert, kFew},
    {"clear_beside_copy", clear_beside_copy, kFew},
};

INSTANTIATE_TEST_SUITE_P(Of, TreeModel, testing::ValuesIn(kCases), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model::tree

// SPDX-License-Identifier: Apache-2.0
//
// Awaited operations of TreeIndex under the explorer, and what breaks them.

#include <gtest/gtest.h>

#include "program_suite.h"
#include "tree_async_programs.h"

namespace scree::model::tree {
namespace {

class TreeAsyncModel : public ProgramTest {};
TEST_P(TreeAsyncModel, holds_within_the_bounds) { expect_holds_within_the_bounds(); }
TEST_P(TreeAsyncModel, holds_at_random_beyond_the_bounds) { expect_holds_at_random_beyond_the_bounds(); }

const Options kTwo{.stale_reads = 1, .delayed_stores = 0, .random_executions = 1'000};
const Options kFar{.preemptions = 3, .stale_reads = 1, .delayed_stores = 0, .random_executions = 1'000};
// Where there are many steps: what memory does beside all schedules is left to chance.
const Options kSchedules{.stale_reads = 0, .delayed_stores = 0, .random_executions = 5'000};
const Options kThree{.preemptions = 1, .stale_reads = 1, .delayed_stores = 0, .random_executions = 1'000};
// Where there is no memory to retire something, it is never freed.
const Options kFailing{.preemptions = 1,
                       .stale_reads = 1,
                       .delayed_stores = 0,
                       .allocation_failures = 1,
                       .random_executions = 1'000,
                       .check_leaks = false};
#define CASE(program, options) \
  { #program, program, options }
const Case kCases[] = {
    CASE(split_beside_awaited_insert, kFar),
    CASE(split_with_keys_beside_awaited_insert, kTwo),
    CASE(split_beside_awaited_insert_of_the_key, kTwo),
    CASE(awaited_insert_beside_awaited_insert, kFar),
    CASE(split_beside_two_awaited_inserts, kTwo),
    CASE(three_awaited_inserts, kThree),
    CASE(failing_split_beside_awaited_insert, kFailing),
    CASE(failing_awaited_insert_beside_awaited_insert, kFailing),
    CASE(split_beside_awaited_split_of_the_neighbour, kFar),
    CASE(split_beside_clear_and_awaited_split_of_the_neighbour, kThree),
    CASE(splits_beside_a_deferred_coroutine, kThree),
    CASE(merge_beside_awaited_insert_into_the_neighbour, kTwo),
    CASE(merge_beside_awaited_remove_from_the_neighbour, kTwo),
    CASE(awaited_merge_beside_insert_into_the_neighbour, kTwo),
    CASE(awaited_merge_beside_merge, kTwo),
    CASE(refused_merge_beside_copy_of_the_neighbour, kSchedules),
    CASE(awaited_pop_beside_unlink, kFar),
    CASE(awaited_pop_beside_awaited_pop, kFar),
    CASE(awaited_merge_of_inner_nodes_beside_insert, kTwo),
    CASE(merge_of_inner_nodes_beside_awaited_insert, kTwo),
    CASE(destroy_awaited_insert_beside_split, kFar),
    CASE(destroy_awaited_insert_beside_split_and_awaited_insert, kThree),
    CASE(destroy_awaited_insert_beside_split_and_clear, kTwo),
};
#undef CASE

INSTANTIATE_TEST_SUITE_P(Of, TreeAsyncModel, testing::ValuesIn(kCases), [](const auto& of) { return name_of(of); });

constexpr const char* kInner = "detail/tree_inner.h";
constexpr const char* kStructure = "detail/tree_structure.h";

class TreeAsyncPlanted : public PlantedTest {};
TEST_P(TreeAsyncPlanted, is_found) { expect_is_found(); }

const Options kOrder{.stale_reads = 1, .delayed_stores = 0};
const Bug kBugs[] = {
    // A node or tree that is named as what was waited for stays.
    {Plant::drop(kInner, "T19"), destroy_awaited_insert_beside_split, Error::kUseAfterFree, kOrder},
    {Plant::drop(kInner, "T18"), split_beside_awaited_insert, Error::kLeak, kOrder},
    {Plant::weaken(kInner, "T18"), destroy_awaited_insert_beside_split, Error::kUnorderedFree, kOrder},
    {Plant::drop(kStructure, "T19"), split_beside_clear_and_awaited_split_of_the_neighbour, Error::kUseAfterFree,
     kOrder},
    {Plant::drop(kStructure, "T18"), split_beside_awaited_split_of_the_neighbour, Error::kLeak, kOrder},
    {Plant::weaken(kStructure, "T18"), split_beside_clear_and_awaited_split_of_the_neighbour, Error::kUnorderedFree,
     kOrder},
};

INSTANTIATE_TEST_SUITE_P(Step, TreeAsyncPlanted, testing::ValuesIn(kBugs), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model::tree

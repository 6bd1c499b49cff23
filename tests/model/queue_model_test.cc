// SPDX-License-Identifier: Apache-2.0
//
// Queue under the explorer: every schedule and every outcome within the bounds that the output names, and each step
// that needs its order, broken in the shipped code by its number, is found by one of the programs.

#include <gtest/gtest.h>

#include "program_suite.h"
#include "queue_programs.h"

namespace scree::model {
namespace {

class QueueModel : public ProgramTest {};
TEST_P(QueueModel, holds_within_the_bounds) { expect_holds_within_the_bounds(); }
TEST_P(QueueModel, holds_at_random_beyond_the_bounds) { expect_holds_at_random_beyond_the_bounds(); }

const Options kOnce{.preemptions = 1};

const Case kCases[] = {
    {"push_beside_push", push_beside_push<Items>},
    {"push_beside_push_of_numbers", push_beside_push<Numbers>},
    {"push_beside_pop", push_beside_pop<Item, 1, 1>},
    {"push_beside_pop_of_numbers", push_beside_pop<int, 1, 1>, {.preemptions = 3}},
    {"pushes_beside_pops", push_beside_pop<Item, 2, 2>},
    {"pushes_beside_pops_across_segments", push_beside_pop<int, 3, 3>},
    {"pops_across_segments", pops_across_segments},
    {"pops_across_a_new_segment", pops_across_a_new_segment, kOnce},
    {"pushes_across_segments", pushes_across_segments},
    {"pops_beside_two_pushes", pops_beside_two_pushes, kOnce},
    {"iterate_beside_pops", iterate_beside_pops<Items>},
    {"peek_beside_pops", peek_beside_pops<Items>},
    {"peek_beside_push", peek_beside_push<Items>},
    {"iterate_beside_push", iterate_beside_push<Items>},
    {"push_if_beside_push", push_if_beside_push<Items>},
    {"push_if_beside_push_if", push_if_beside_push_if<Items>},
    {"push_if_beside_pops", push_if_beside_pops<0>},
    {"push_if_beside_pops_at_the_end_of_a_segment", push_if_beside_pops<1>},
    {"refuse_an_empty_queue", refuse_an_empty_queue},
    {"refuse_while_another_pushes_behind", refuse_while_another_pushes_behind, kOnce},
    {"is_empty_in_a_queue_that_never_is", is_empty_in_a_queue_that_never_is<0>, {.stale_reads = 3}},
    {"is_empty_at_the_end_of_a_segment", is_empty_in_a_queue_that_never_is<1>, {.stale_reads = 3}},
    {"pop_from_a_queue_that_is_never_empty", pop_from_a_queue_that_is_never_empty<0>, {.stale_reads = 3}},
    {"pop_at_the_end_of_a_segment", pop_from_a_queue_that_is_never_empty<1>, {.stale_reads = 3}},
    {"pop_if_beside_pop_if", pop_if_beside_pop_if<Items>},
    {"pop_if_beside_pop", pop_if_beside_pop},
    {"pop_all_beside_push_and_pop", pop_all_beside_push_and_pop, kOnce},
    {"drop_the_handle_beside_pop", drop_the_handle_beside_pop<Items, 0>, kOnce},
    {"drop_the_handle_beside_pops_of_a_segment", drop_the_handle_beside_pop<Items, 2>, kOnce},
    {"drop_the_handle_beside_pops_of_a_segment_of_numbers", drop_the_handle_beside_pop<Numbers, 2>, kOnce},
    {"drop_the_handle_beside_the_end_of_the_queue", drop_the_handle_beside_the_end_of_the_container<Items>, kOnce},
    {"drop_the_handle_beside_the_end_of_the_queue_of_numbers", drop_the_handle_beside_the_end_of_the_container<Numbers>,
     kOnce},
    {"drop_both_beside_a_collector", drop_both_beside_a_collector<Item>, kOnce},
    {"drop_both_beside_a_collector_of_numbers", drop_both_beside_a_collector<int>, kOnce},
};

INSTANTIATE_TEST_SUITE_P(Of, QueueModel, testing::ValuesIn(kCases), [](const auto& of) { return name_of(of); });

constexpr const char* kQueue = "scree/queue.h";
constexpr const char* kSegment = "detail/queue_segment.h";

class QueuePlanted : public PlantedTest {};
TEST_P(QueuePlanted, is_found) { expect_is_found(); }

// A pop looks twice at a slot before it looks at what is pushed.
const Options kThreeStale{.preemptions = 1, .stale_reads = 3};

const Bug kBugs[] = {
    // Whoever finds an entry sees what its pusher wrote.
    {Plant::weaken(kSegment, "F1"), push_beside_pop<Item, 1, 1>, Error::kDataRace},
    {Plant::weaken(kSegment, "F2"), push_beside_pop<Item, 1, 1>, Error::kDataRace},
    {Plant::weaken(kSegment, "F3"), push_beside_pop<Item, 1, 1>, Error::kDataRace},
    // A place is not given up for good, or taken by nobody.
    {Plant::drop(kSegment, "F2"), push_beside_pop<int, 2, 2>, Error::kCheck},
    // What was pushed and what was popped, seen from both sides.
    {Plant::weaken(kQueue, "C3"), push_if_beside_pops<0>, Error::kCheck},
    {Plant::weaken(kQueue, "C2"), refuse_while_another_pushes_behind, Error::kCheck, kOnce},
    {Plant::weaken(kQueue, "O1"), pop_from_a_queue_that_is_never_empty<0>, Error::kCheck, kThreeStale},
    {Plant::weaken(kQueue, "O1"), is_empty_in_a_queue_that_never_is<1>, Error::kCheck, kThreeStale},
    {Plant::weaken(kQueue, "C4"), push_if_beside_pops<0>, Error::kCheck},
    {Plant::weaken(kQueue, "O2"), push_if_beside_pops<0>, Error::kCheck},
    {Plant::weaken(kQueue, "O3"), pop_from_a_queue_that_is_never_empty<0>, Error::kCheck, kThreeStale},
    // Segments are whole for those who come to them.
    {Plant::weaken(kQueue, "S1"), push_beside_pop<int, 1, 1>, Error::kDataRace},
    {Plant::weaken(kQueue, "S2"), push_beside_pop<int, 1, 1>, Error::kDataRace},
    {Plant::weaken(kQueue, "S3"), push_beside_push<Numbers>, Error::kDataRace},
    {Plant::weaken(kQueue, "S4"), push_beside_push<Numbers>, Error::kDataRace},
    {Plant::weaken(kQueue, "S5"), push_if_beside_pops<1>, Error::kDataRace},
    {Plant::weaken(kQueue, "S6"), push_if_beside_pops<1>, Error::kDataRace},
    {Plant::weaken(kQueue, "S7"), pushes_across_segments, Error::kDataRace},
    {Plant::weaken(kQueue, "S8"), pops_across_a_new_segment, Error::kDataRace, kOnce},
    // A segment is freed once, after all handles are gone.
    {Plant::weaken(kSegment, "R3"), drop_the_handle_beside_pop<Numbers, 2>, Error::kUnorderedFree, kOnce},
    {Plant::drop(kSegment, "R1"), drop_the_handle_beside_pop<Numbers, 2>, Error::kLeak, kOnce},
    {Plant::drop(kSegment, "R4"), drop_the_handle_beside_pop<Numbers, 2>, Error::kLeak, kOnce},
};

INSTANTIATE_TEST_SUITE_P(Step, QueuePlanted, testing::ValuesIn(kBugs), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model

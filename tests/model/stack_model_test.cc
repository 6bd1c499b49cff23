// SPDX-License-Identifier: Apache-2.0
//
// Stack under the explorer: every schedule and every outcome within the bounds that the output names, and each step
// that needs its order, broken in the shipped code by its number, is found by one of the programs. (D2 and D4 need none
// but what the barrier and the retirement give them: they are left out instead.)

#include <gtest/gtest.h>

#include "program_suite.h"
#include "stack_programs.h"

namespace scree::model {
namespace {

class StackModel : public ProgramTest {};
TEST_P(StackModel, holds_within_the_bounds) { expect_holds_within_the_bounds(); }
TEST_P(StackModel, holds_at_random_beyond_the_bounds) { expect_holds_at_random_beyond_the_bounds(); }

const Options kOnce{.preemptions = 1};
const Options kWithoutMembarrier{.membarrier = Membarrier::kRefusedAtStart};

const Case kCases[] = {
    {"push_beside_push", push_beside_push<Stacked>},
    {"pop_beside_push", pop_beside_push},
    {"pop_beside_push_and_pop", pop_beside_push_and_pop},
    {"pop_beside_pops_and_a_push", pop_beside_pops_and_a_push},
    {"pop_all_beside_push_and_pop", pop_all_beside_push_and_pop},
    {"iterate_beside_pops", iterate_beside_pops<Stacked>},
    {"iterate_beside_pops_without_membarrier", iterate_beside_pops<Stacked>, kWithoutMembarrier},
    {"peek_beside_pops", peek_beside_pops<Stacked>},
    {"peek_beside_push", peek_beside_push<Stacked>},
    {"iterate_beside_push", iterate_beside_push<Stacked>},
    {"pop_all_beside_push", pop_all_beside_push},
    {"push_if_beside_push", push_if_beside_push<Stacked>},
    {"push_if_beside_push_if", push_if_beside_push_if<Stacked>},
    {"pop_if_beside_pop_if", pop_if_beside_pop_if<Stacked>},
    {"drop_the_handle_beside_pop", drop_the_handle_beside_pop<Stacked>},
    {"drop_the_handle_beside_pop_without_membarrier", drop_the_handle_beside_pop<Stacked>, kWithoutMembarrier},
    {"take_beside_the_handle_with_three_preemptions", take_beside_the_handle, {.preemptions = 3}},
    {"drop_the_handle_beside_pop_all", drop_the_handle_beside_pop_all},
    {"take_beside_the_handle", take_beside_the_handle},
    {"drop_both_beside_a_collector", drop_both_beside_a_collector, kOnce},
    {"peek_beside_both_owners", peek_beside_both_owners, kOnce},
    {"drop_the_handle_beside_the_end_of_the_stack", drop_the_handle_beside_the_end_of_the_container<Stacked>},
};

INSTANTIATE_TEST_SUITE_P(Of, StackModel, testing::ValuesIn(kCases), [](const auto& of) { return name_of(of); });

constexpr const char* kStack = "scree/stack.h";
constexpr const char* kOwners = "detail/two_owners.h";

class StackPlanted : public PlantedTest {};
TEST_P(StackPlanted, is_found) { expect_is_found(); }

const Bug kBugs[] = {
    // Whoever finds an entry sees what its pusher wrote.
    {Plant::weaken(kStack, "X1"), pop_beside_push, Error::kDataRace},
    {Plant::weaken(kStack, "X2"), pop_beside_push, Error::kDataRace},
    {Plant::weaken(kStack, "X3"), pop_beside_push_and_pop, Error::kDataRace},
    {Plant::weaken(kStack, "X4"), push_if_beside_push<Stacked>, Error::kDataRace},
    {Plant::weaken(kStack, "X5"), push_if_beside_push_if<Stacked>, Error::kDataRace},
    {Plant::weaken(kStack, "X6"), pop_all_beside_push, Error::kDataRace},
    {Plant::weaken(kStack, "X7"), peek_beside_push<Stacked>, Error::kDataRace},
    {Plant::weaken(kStack, "X8"), iterate_beside_push<Stacked>, Error::kDataRace},
    // An exchange that only looks.
    {Plant::drop(kStack, "X3"), pop_beside_push_and_pop, Error::kCheck},
    {Plant::drop(kStack, "X6"), pop_all_beside_push_and_pop, Error::kCheck},
    // Whichever owner is the last, the other's use of the entry comes before it is freed.
    {Plant::weaken(kOwners, "D3"), drop_the_handle_beside_pop<Stacked>, Error::kUnorderedFree},
    {Plant::weaken(kOwners, "D6"), drop_the_handle_beside_pop<Stacked>, Error::kUnorderedFree},
    {Plant::weaken(kOwners, "D7"), drop_the_handle_beside_pop<Stacked>, Error::kUnorderedFree},
    // One of the two frees it.
    {Plant::drop(kOwners, "D2"), drop_the_handle_beside_pop<Stacked>, Error::kCheck},
    {Plant::drop(kOwners, "D3"), drop_the_handle_beside_pop<Stacked>, Error::kCheck},
    {Plant::drop(kOwners, "D4"), drop_the_handle_beside_pop<Stacked>, Error::kCheck},
    {Plant::drop(kOwners, "D7"), drop_the_handle_beside_pop<Stacked>, Error::kCheck},
};

INSTANTIATE_TEST_SUITE_P(Step, StackPlanted, testing::ValuesIn(kBugs), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model

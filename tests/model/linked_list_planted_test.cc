// SPDX-License-Identifier: Apache-2.0
//
// Each step of Bag that needs its order, and each that changes what others see, broken in the shipped code by its
// number, is found by one of the programs.

#include <gtest/gtest.h>

#include "linked_list_programs.h"
#include "program_suite.h"

namespace scree::model {
namespace {

constexpr const char* kPtr = "scree/ebr_ptr.h";  // what a list consists of

class LinkedListPlanted : public PlantedTest {};
TEST_P(LinkedListPlanted, is_found) { expect_is_found(); }

const Bug kBugs[] = {
    // What a link leads to is whole for who follows it.
    {Plant::weaken(kPtr, "W8"), push_beside_an_unlink, Error::kDataRace},
    {Plant::weaken(kPtr, "W9"), push_beside_an_unlink, Error::kDataRace},
    {Plant::drop(kPtr, "W9"), push_beside_another_push, Error::kCheck},
    // Who sees a deletion sees what came before it.
    {Plant::weaken(kPtr, "W10"), delete_as_a_message, Error::kDataRace},
    {Plant::drop(kPtr, "W10"), delete_beside_a_delete, Error::kCheck},
    // Whose owner it is that an unlink installs.
    {Plant::drop(kPtr, "W3"), delete_neighbours_that_nobody_else_owns, Error::kUseAfterFree},
};

INSTANTIATE_TEST_SUITE_P(Step, LinkedListPlanted, testing::ValuesIn(kBugs), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model

// SPDX-License-Identifier: Apache-2.0
//
// Each step of Bag that needs its order, and each that changes what others see, broken in the shipped code by its
// number, is found by one of the programs.

#include <gtest/gtest.h>

#include "bag_programs.h"
#include "program_suite.h"

namespace scree::model {
namespace {

constexpr const char* kBlock = "detail/bag_block.h";

class BagPlanted : public PlantedTest {};
TEST_P(BagPlanted, is_found) { expect_is_found(); }

const Options kThree{.delayed_stores = 0};
const Options kOnlyOrder{.stale_reads = 0, .delayed_stores = 0};

const Bug kBugs[] = {
    // A slot's memory is used by one thread after another.
    {Plant::weaken(kBlock, "B1"), pairs_beside_pairs, Error::kDataRace},
    {Plant::weaken(kBlock, "B2"), pop_beside_a_push, Error::kDataRace},
    {Plant::weaken(kBlock, "B3"), pop_from_a_bag_that_is_never_empty, Error::kDataRace},
    {Plant::weaken(kBlock, "B4"), pairs_beside_pairs, Error::kDataRace},
    {Plant::weaken(kBlock, "B5"), push_that_throws_beside_a_push, Error::kDataRace},
    {Plant::drop(kBlock, "B2"), pop_beside_a_push, Error::kCheck},
    // Who sees that an element is gone sees the one that was pushed before it was taken.
    {Plant::weaken(kBlock, "B3"), look_into_a_bag_that_is_never_empty, Error::kCheck},
    {Plant::weaken(kBlock, "B4"), look_into_a_bag_that_is_never_empty, Error::kCheck},
    {Plant::weaken(kBlock, "B6"), look_into_a_bag_that_is_never_empty, Error::kCheck},
    {Plant::weaken(kBlock, "B8"), look_behind_what_is_over, Error::kCheck, kThree},
    {Plant::weaken(kBlock, "B11"), look_behind_a_block_that_is_over, Error::kCheck, kThree},
    {Plant::weaken(kBlock, "B9"), look_behind_a_block_that_is_over, Error::kCheck, kThree},
    // Blocks.
    {Plant::drop(kBlock, "B7"), link_a_block_beside_another, Error::kCheck},
    {Plant::weaken(kBlock, "B9"), link_a_block_beside_another, Error::kDataRace},
    {Plant::weaken(kBlock, "B10"), link_a_block_beside_another, Error::kDataRace},
    {Plant::drop(kBlock, "B10"), link_a_block_beside_another, Error::kLivelock},
    {Plant::drop(kBlock, "B11"), walk_beside_an_unlink, Error::kDoubleFree},
    {Plant::drop(kBlock, "B13"), unlink_neighbours, Error::kDoubleFree, kOnlyOrder},
    {Plant::drop(kBlock, "B12"), seal_beside_a_push, Error::kCheck},
};

INSTANTIATE_TEST_SUITE_P(Step, BagPlanted, testing::ValuesIn(kBugs), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model

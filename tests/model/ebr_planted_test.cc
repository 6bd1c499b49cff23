// SPDX-License-Identifier: Apache-2.0
//
// Each step of reclamation that needs its order or its fence, broken in the shipped code by its number, is found by one
// of the programs: the explorer would see it if somebody broke it for good. (A1 and C1 acquire for TSan; elsewhere A2,
// which follows, acquires for them.)

#include <gtest/gtest.h>

#include "ebr_programs.h"
#include "program_suite.h"

namespace scree::model {
namespace {

constexpr const char* kDomain = "detail/ebr_domain.h";
constexpr const char* kPtr = "scree/ebr_ptr.h";

class EbrPlanted : public PlantedTest {};
TEST_P(EbrPlanted, is_found) { expect_is_found(); }

const Options kWithoutMembarrier{.membarrier = Membarrier::kRefusedAtStart};
const Options kThree{.preemptions = 1};
const Options kThreeWithoutMembarrier{.stale_reads = 3, .delayed_stores = 0, .membarrier = Membarrier::kRefusedAtStart};

const Bug kBugs[] = {
    // A reader that begins after the seal must see the unlink.
    {Plant::weaken(kDomain, "E1"), read_beside_a_collector, Error::kUnorderedFree},
    {Plant::weaken(kDomain, "S1"), read_beside_a_collector, Error::kUnorderedFree},
    // A later announcement carries the end of an earlier section.
    {Plant::weaken(kDomain, "E2"), read_twice_beside_a_collector, Error::kUnorderedFree},
    {Plant::weaken(kDomain, "E3"), read_beside_a_collector, Error::kUnorderedFree},
    {Plant::weaken(kDomain, "A3"), read_beside_a_collector, Error::kUnorderedFree},
    // The fences.
    {Plant::drop(kDomain, "E2f"), read_beside_a_collector, Error::kUnorderedFree},
    {Plant::drop(kDomain, "E2f"), read_beside_a_collector, Error::kUnorderedFree, kWithoutMembarrier},
    {Plant::drop(kDomain, "A2"), read_beside_a_collector, Error::kUnorderedFree},
    {Plant::drop(kDomain, "A2"), read_beside_a_sealer_and_a_collector, Error::kDataRace, kThreeWithoutMembarrier},
    // What one thread's advance covers, another frees.
    {Plant::weaken(kDomain, "A4"), free_what_another_ended, Error::kUnorderedFree, kThree},
    {Plant::weaken(kDomain, "F1"), free_what_another_ended, Error::kUnorderedFree, kThree},
    // Lists that change hands.
    {Plant::weaken(kDomain, "R1"), wake_up_beside_a_collector, Error::kDataRace},
    {Plant::weaken(kDomain, "C3"), wake_up_beside_a_collector, Error::kDataRace},
    {Plant::weaken(kDomain, "C4"), wake_up_beside_a_collector, Error::kDataRace},
    {Plant::weaken(kDomain, "O1"), wake_up_beside_a_collector, Error::kDataRace},
    {Plant::weaken(kDomain, "O2"), wake_up_beside_a_collector, Error::kDataRace},
    // Records that change hands.
    {Plant::weaken(kDomain, "T1"), exit_beside_a_thread_that_begins, Error::kDataRace},
    {Plant::weaken(kDomain, "T2"), exit_beside_a_thread_that_begins, Error::kDataRace},
    {Plant::weaken(kDomain, "L1"), exit_beside_a_thread_that_begins, Error::kDataRace},
    {Plant::weaken(kDomain, "L2"), exit_beside_a_thread_that_begins, Error::kDataRace},
    // Owners.
    {Plant::weaken(kPtr, "W1"), change_what_another_owner_let_go, Error::kDataRace},
    {Plant::weaken(kPtr, "W4"), change_what_another_owner_let_go, Error::kDataRace},
    {Plant::weaken(kPtr, "W6"), store_over_what_another_made, Error::kUnorderedFree, kThree},
};

INSTANTIATE_TEST_SUITE_P(Step, EbrPlanted, testing::ValuesIn(kBugs), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model

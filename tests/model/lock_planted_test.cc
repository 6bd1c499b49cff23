// SPDX-License-Identifier: Apache-2.0
//
// Each step of the lock that needs its order or its wake-up, broken in the shipped code by its number, is found by one
// of the programs.

#include <gtest/gtest.h>

#include "lock_leaving_programs.h"
#include "lock_programs.h"
#include "lock_trying_programs.h"
#include "program_suite.h"

namespace scree::model {
namespace {

constexpr const char* kCore = "detail/lock_core.h";
constexpr const char* kSlow = "detail/lock_slow.h";
constexpr const char* kQueue = "detail/wait_queue.h";
constexpr const char* kReady = "detail/ready_list.h";
constexpr const char* kWaiter = "detail/waiter.h";

class LockPlanted : public PlantedTest {};
TEST_P(LockPlanted, is_found) { expect_is_found(); }

const Bug kBugs[] = {
    // What a holder did comes before what the next one does.
    {Plant::weaken(kCore, "A1"), two_writers, Error::kDataRace},
    {Plant::weaken(kCore, "A2"), a_writer_that_comes_twice, Error::kDataRace},
    {Plant::weaken(kCore, "A3"), a_writer_and_a_reader, Error::kDataRace},
    {Plant::weaken(kCore, "U1"), two_writers, Error::kDataRace},
    {Plant::weaken(kCore, "U2"), a_writer_and_a_reader, Error::kDataRace},
    {Plant::weaken(kSlow, "U3"), three_writers, Error::kDataRace},
    // The queue and its waiters.
    {Plant::weaken(kSlow, "P1"), two_writers, Error::kDataRace},
    {Plant::weaken(kSlow, "S2"), destroy_one_of_three<1>, Error::kDataRace},
    {Plant::weaken(kQueue, "Q1"), three_writers, Error::kDataRace},
    {Plant::weaken(kWaiter, "W1"), two_writers, Error::kDataRace},
    {Plant::weaken(kWaiter, "W2"), two_writers, Error::kDataRace},
    {Plant::weaken(kWaiter, "W3"), destroy_beside_a_release, Error::kDataRace},
    {Plant::weaken(kSlow, "C1"), destroy_beside_a_release, Error::kDataRace},
    {Plant::weaken(kSlow, "C2"), destroy_beside_a_release, Error::kDataRace},
    {Plant::weaken(kSlow, "L1"), destroy_two, Error::kDeadlock},
    {Plant::drop(kSlow, "L1"), destroy_two, Error::kDeadlock},
    {Plant::drop(kWaiter, "W1f"), two_writers, Error::kLostWakeup},
    {Plant::drop(kWaiter, "W3f"), destroy_two, Error::kLostWakeup},
    // A coroutine that tries again beside its destroyer.
    {Plant::weaken(kWaiter, "W4"), destroy_beside_one_who_lets_it_lose, Error::kDataRace, {.stale_reads = 1}},
    {Plant::drop(kWaiter, "W4"), destroy_beside_one_who_lets_it_lose, Error::kDataRace, {.stale_reads = 0}},
    {Plant::drop(kWaiter, "W5"), destroy_beside_one_who_lets_it_lose, Error::kCheck},
    {Plant::weaken(kReady, "C3"),
     destroy_beside_two_who_let_it_try_in_turn,
     Error::kDataRace,
     {.stale_reads = 1, .delayed_stores = 0}},
    // As many readers as may.
    {Plant::drop(kSlow, "S3"), as_many_readers_join_as_may, Error::kCheck},
    // The end of a lock.
    {Plant::weaken(kSlow, "K1"), kill_beside_threads, Error::kDataRace},
    {Plant::weaken(kSlow, "K2"), kill_beside_threads, Error::kDataRace},
    {Plant::weaken(kCore, "K3"), look_beside_a_kill, Error::kDataRace},
};

INSTANTIATE_TEST_SUITE_P(Step, LockPlanted, testing::ValuesIn(kBugs), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model

// SPDX-License-Identifier: Apache-2.0
//
// The lock under the explorer: every schedule and every outcome within the bounds that the output names.

#include <gtest/gtest.h>

#include "lock_leaving_programs.h"
#include "lock_programs.h"
#include "lock_released_programs.h"
#include "lock_trying_programs.h"
#include "program_suite.h"

namespace scree::model {
namespace {

class LockModel : public ProgramTest {};
TEST_P(LockModel, holds_within_the_bounds) { expect_holds_within_the_bounds(); }
TEST_P(LockModel, holds_at_random_beyond_the_bounds) { expect_holds_at_random_beyond_the_bounds(); }

#define CASE(program, ...) \
  { #program, program __VA_OPT__(, ) __VA_ARGS__ }
const Case kCases[] = {
    CASE(two_writers, {.preemptions = -1}),
    CASE(three_writers),
    CASE(a_writer_that_comes_twice, {.preemptions = 5}),
    CASE(a_writer_and_a_reader, {.preemptions = -1}),
    CASE(a_writer_and_two_readers),
    CASE(two_writers_and_a_reader),
    CASE(try_beside_a_writer),
    CASE(destroy_after_the_last_release),
    CASE(two_coroutines, {.preemptions = 5}),
    CASE(a_coroutine_and_a_thread, {.preemptions = 5}),
    CASE(two_coroutines_and_a_thread),
    CASE(a_waiting_coroutine),
    CASE(waiting_readers),
    CASE(coroutines_are_not_nested),
    CASE(release_inside_barriers),
    CASE(wait_inside_a_barrier_for_what_was_passed_on),
    CASE(two_wait_inside_barriers_for_what_was_passed_on),
    CASE(destroy_beside_a_release),
    CASE(destroy_beside_a_release_and_a_thread),
    {"destroy_the_first_of_three", destroy_one_of_three<0>},
    {"destroy_the_second_of_three", destroy_one_of_three<1>},
    {"destroy_the_third_of_three", destroy_one_of_three<2>},
    CASE(destroy_two, {.preemptions = 4}),
    CASE(destroy_beside_a_thread_that_comes),
    CASE(readers_join_when_the_writer_leaves),
    CASE(destroy_a_writer_beside_the_last_reader),
    CASE(destroy_what_is_ready),
    CASE(kill_beside_threads),
    CASE(look_beside_a_kill),
    CASE(kill_beside_coroutines),
    CASE(kill_beside_a_leaver),
    CASE(three_and_the_last_destroys),
    CASE(a_leaver_and_the_last_destroys),
    CASE(two_leave_beside_a_release, {.preemptions = 1}),
    CASE(two_leave_beside_the_last_reader, {.preemptions = 1}),
    CASE(the_newest_leaves_beside_one_that_comes, {.preemptions = 1}),
    CASE(leave_beside_a_woken_thread, {.preemptions = 1}),
    CASE(kill_beside_a_woken_thread),
    CASE(kill_beside_two_leavers, {.preemptions = 1}),
    CASE(visitors_beside_writers),
    CASE(visitors_beside_a_kill),
    CASE(readers_that_leave_beside_a_writer_that_waits),
    CASE(readers_beyond_the_most),
    CASE(readers_beyond_the_most_beside_a_leaving_writer, {.preemptions = 1}),
    CASE(another_destroys_what_is_ready, {.preemptions = 1}),
    CASE(a_coroutine_destroys_what_is_ready),
    CASE(a_hook_destroys_the_coroutine),
    CASE(destroy_beside_one_who_lets_it_lose, {.stale_reads = 1}),
    CASE(destroy_what_may_lose_to_a_third, {.preemptions = 1}),
    CASE(destroy_beside_two_who_let_it_try_in_turn, {.stale_reads = 1, .delayed_stores = 0}),
    CASE(destroy_beside_two_who_let_it_try, {.preemptions = 1, .stale_reads = 1}),
    CASE(destroy_after_who_let_it_lose_has_gone, {.preemptions = 1, .stale_reads = 1}),
    CASE(two_leave_beside_one_who_lets_them_lose, {.preemptions = 1, .stale_reads = 1}),
    CASE(destroy_what_may_find_it_killed, {.preemptions = 1}),
    CASE(find_it_killed_at_the_end_of_a_barrier),
    CASE(kill_inside_a_barrier, {.preemptions = 1}),
    CASE(a_reader_tries_again_behind_a_thread_that_reads, {.preemptions = 1}),
    CASE(a_reader_tries_again_before_a_thread_that_writes),
    CASE(readers_join_up_to_a_coroutine, {.preemptions = 1, .stale_reads = 1}),
    CASE(as_many_readers_join_as_may, {.stale_reads = 1, .delayed_stores = 0}),
    CASE(nobody_joins_beyond_the_most),
    CASE(release_beside_one_who_awaits_it, {.preemptions = -1}),
    CASE(writers_beside_one_who_awaits_a_release),
    CASE(nobody_waits_for_one_who_awaits_a_release),
    CASE(readers_beside_one_who_awaits_a_release),
    CASE(release_within_a_barrier_beside_two_who_await_it),
    CASE(kill_beside_one_who_awaits_a_release, {.preemptions = -1}),
    CASE(destroy_one_who_awaits_a_release, {.preemptions = 1}),
};
#undef CASE

INSTANTIATE_TEST_SUITE_P(Program, LockModel, testing::ValuesIn(kCases), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model

// SPDX-License-Identifier: Apache-2.0
//
// Stack under the explorer: every schedule and every outcome within the bounds that the output names, and each step
// that needs its order, broken in the shipped code by its number, is found by one of the programs. (D2 and D4 need none
// but what the barrier and the retirement give them: they are left out instead.)

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "stack_programs.h"

namespace scree::model {
namespace {

struct Case {
  const char* name;
  void (*program)(Program&);
  Options options = {};
};

void PrintTo(const Case& of, std::ostream* out) { *out << of.name; }

class StackModel : public testing::TestWithParam<Case> {};

TEST_P(StackModel, holds_within_the_bounds) {
  Options options = GetParam().options;
  options.name = GetParam().name;
  const Result result = explore(options, GetParam().program);
  EXPECT_TRUE(result.ok()) << result.report();
  EXPECT_TRUE(result.complete) << result.summary();
}

TEST_P(StackModel, holds_at_random_beyond_the_bounds) {
  Options options = GetParam().options;
  options.name = GetParam().name;
  options.preemptions = -1;
  options.stale_reads = -1;
  options.delayed_stores = 4;
  options.membarrier_at_once = false;
  options.spurious_failures = 2;
  options.max_executions = 0;
  options.random_executions = 20'000;
  const Result result = explore(options, GetParam().program);
  EXPECT_TRUE(result.ok()) << result.report();
}

const Options kOnce{.preemptions = 1};
const Options kWithoutMembarrier{.membarrier = Membarrier::kRefusedAtStart};

const Case kCases[] = {
    {"push_beside_push", push_beside_push},
    {"pop_beside_push", pop_beside_push},
    {"pop_beside_push_and_pop", pop_beside_push_and_pop},
    {"pop_beside_pops_and_a_push", pop_beside_pops_and_a_push},
    {"pop_all_beside_push_and_pop", pop_all_beside_push_and_pop},
    {"iterate_beside_pops", iterate_beside_pops},
    {"iterate_beside_pops_without_membarrier", iterate_beside_pops, kWithoutMembarrier},
    {"peek_beside_pops", peek_beside_pops},
    {"peek_beside_push", peek_beside_push},
    {"iterate_beside_push", iterate_beside_push},
    {"pop_all_beside_push", pop_all_beside_push},
    {"push_if_beside_push", push_if_beside_push},
    {"push_if_beside_push_if", push_if_beside_push_if},
    {"pop_if_beside_pop_if", pop_if_beside_pop_if},
    {"drop_the_handle_beside_pop", drop_the_handle_beside_pop},
    {"drop_the_handle_beside_pop_without_membarrier", drop_the_handle_beside_pop, kWithoutMembarrier},
    {"take_beside_the_handle_with_three_preemptions", take_beside_the_handle, {.preemptions = 3}},
    {"drop_the_handle_beside_pop_all", drop_the_handle_beside_pop_all},
    {"take_beside_the_handle", take_beside_the_handle},
    {"drop_both_beside_a_collector", drop_both_beside_a_collector, kOnce},
    {"peek_beside_both_owners", peek_beside_both_owners, kOnce},
    {"drop_the_handle_beside_the_end_of_the_stack", drop_the_handle_beside_the_end_of_the_stack},
};

INSTANTIATE_TEST_SUITE_P(Of, StackModel, testing::ValuesIn(kCases),
                         [](const auto& of) { return std::string(of.param.name); });

constexpr const char* kStack = "scree/stack.h";
constexpr const char* kOwners = "detail/two_owners.h";

struct Bug {
  Plant plant;
  void (*program)(Program&);
  Error found_as;
  Options options = {};
};

void PrintTo(const Bug& bug, std::ostream* out) { *out << bug.plant.marker; }

class StackPlanted : public testing::TestWithParam<Bug> {};

TEST_P(StackPlanted, is_found) {
  const Bug& bug = GetParam();
  Options options = bug.options;
  options.name = std::string(bug.plant.kind == Plant::Kind::kDrop ? "without " : "relaxed ") + bug.plant.marker;
  options.planted = {bug.plant};
  const Result result = explore(options, bug.program);
  EXPECT_EQ(to_string(result.error), std::string(to_string(bug.found_as))) << result.report();
}

const Bug kBugs[] = {
    // Whoever finds an entry sees what its pusher wrote.
    {Plant::weaken(kStack, "X1"), pop_beside_push, Error::kDataRace},
    {Plant::weaken(kStack, "X2"), pop_beside_push, Error::kDataRace},
    {Plant::weaken(kStack, "X3"), pop_beside_push_and_pop, Error::kDataRace},
    {Plant::weaken(kStack, "X4"), push_if_beside_push, Error::kDataRace},
    {Plant::weaken(kStack, "X5"), push_if_beside_push_if, Error::kDataRace},
    {Plant::weaken(kStack, "X6"), pop_all_beside_push, Error::kDataRace},
    {Plant::weaken(kStack, "X7"), peek_beside_push, Error::kDataRace},
    {Plant::weaken(kStack, "X8"), iterate_beside_push, Error::kDataRace},
    // An exchange that only looks.
    {Plant::drop(kStack, "X3"), pop_beside_push_and_pop, Error::kCheck},
    {Plant::drop(kStack, "X6"), pop_all_beside_push_and_pop, Error::kCheck},
    // Whichever owner is the last, the other's use of the entry comes before it is freed.
    {Plant::weaken(kOwners, "D3"), drop_the_handle_beside_pop, Error::kUnorderedFree},
    {Plant::weaken(kOwners, "D6"), drop_the_handle_beside_pop, Error::kUnorderedFree},
    {Plant::weaken(kOwners, "D7"), drop_the_handle_beside_pop, Error::kUnorderedFree},
    // One of the two frees it.
    {Plant::drop(kOwners, "D2"), drop_the_handle_beside_pop, Error::kCheck},
    {Plant::drop(kOwners, "D3"), drop_the_handle_beside_pop, Error::kCheck},
    {Plant::drop(kOwners, "D4"), drop_the_handle_beside_pop, Error::kCheck},
    {Plant::drop(kOwners, "D7"), drop_the_handle_beside_pop, Error::kCheck},
};

INSTANTIATE_TEST_SUITE_P(Step, StackPlanted, testing::ValuesIn(kBugs), [](const auto& of) {
  return std::string(of.param.plant.kind == Plant::Kind::kDrop ? "without_" : "relaxed_") + of.param.plant.marker;
});

}  // namespace
}  // namespace scree::model

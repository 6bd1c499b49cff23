// SPDX-License-Identifier: Apache-2.0
//
// Each step of Bag that needs its order, and each that changes what others see, broken in the shipped code by its
// number, is found by one of the programs.

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "linked_list_programs.h"

namespace scree::model {
namespace {

constexpr const char* kPtr = "scree/ebr_ptr.h";  // what a list consists of

struct Bug {
  Plant plant;
  void (*program)(Program&);
  Error found_as;
  Options options = {};
};

void PrintTo(const Bug& bug, std::ostream* out) { *out << bug.plant.marker; }

class LinkedListPlanted : public testing::TestWithParam<Bug> {};

TEST_P(LinkedListPlanted, is_found) {
  const Bug& bug = GetParam();
  Options options = bug.options;
  options.name = std::string(bug.plant.kind == Plant::Kind::kDrop ? "without " : "relaxed ") + bug.plant.marker;
  options.planted = {bug.plant};
  const Result result = explore(options, bug.program);
  EXPECT_EQ(to_string(result.error), std::string(to_string(bug.found_as))) << result.report();
}

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

INSTANTIATE_TEST_SUITE_P(Step, LinkedListPlanted, testing::ValuesIn(kBugs), [](const auto& of) {
  return std::string(of.param.plant.kind == Plant::Kind::kDrop ? "without_" : "relaxed_") + of.param.plant.marker +
         "_as_" + std::to_string(of.index);
});

}  // namespace
}  // namespace scree::model

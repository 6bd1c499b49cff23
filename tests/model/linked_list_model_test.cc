// SPDX-License-Identifier: Apache-2.0
//
// LinkedList under the explorer: every schedule and every outcome within the bounds that the output names.

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "linked_list_programs.h"

namespace scree::model {
namespace {

struct Case {
  const char* name;
  void (*program)(Program&);
  Options options = {};
};

void PrintTo(const Case& of, std::ostream* out) { *out << of.name; }

class LinkedListModel : public testing::TestWithParam<Case> {};

TEST_P(LinkedListModel, holds_within_the_bounds) {
  Options options = GetParam().options;
  options.name = GetParam().name;
  const Result result = explore(options, GetParam().program);
  EXPECT_TRUE(result.ok()) << result.report();
  EXPECT_TRUE(result.complete) << result.summary();
}

TEST_P(LinkedListModel, holds_at_random_beyond_the_bounds) {
  Options options = GetParam().options;
  options.name = GetParam().name;
  options.preemptions = -1;
  options.stale_reads = -1;
  options.delayed_stores = 4;
  options.max_executions = 0;
  options.random_executions = 20'000;
  const Result result = explore(options, GetParam().program);
  EXPECT_TRUE(result.ok()) << result.report();
}

const Case kCases[] = {
    {"delete_beside_a_delete", delete_beside_a_delete},
    {"mark_beside_a_delete", mark_beside_a_delete},
    {"push_beside_another_push", push_beside_another_push},
    {"push_beside_a_delete", push_beside_a_delete},
    {"delete_neighbours", delete_neighbours},
    {"delete_neighbours_that_nobody_else_owns", delete_neighbours_that_nobody_else_owns, {.preemptions = 1}},
    {"push_beside_an_unlink", push_beside_an_unlink},
    {"mark_beside_an_unlink", mark_beside_an_unlink},
    {"delete_beside_an_unlink", delete_beside_an_unlink},
    {"delete_as_a_message", delete_as_a_message},
    {"walk_beside_changes", walk_beside_changes, {.preemptions = 1}},
};

INSTANTIATE_TEST_SUITE_P(Of, LinkedListModel, testing::ValuesIn(kCases),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace scree::model

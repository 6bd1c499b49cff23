// SPDX-License-Identifier: Apache-2.0
//
// LinkedList under the explorer: every schedule and every outcome within the bounds that the output names.

#include <gtest/gtest.h>

#include "linked_list_programs.h"
#include "program_suite.h"

namespace scree::model {
namespace {

class LinkedListModel : public ProgramTest {};
TEST_P(LinkedListModel, holds_within_the_bounds) { expect_holds_within_the_bounds(); }
TEST_P(LinkedListModel, holds_at_random_beyond_the_bounds) { expect_holds_at_random_beyond_the_bounds(); }

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

INSTANTIATE_TEST_SUITE_P(Of, LinkedListModel, testing::ValuesIn(kCases), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model

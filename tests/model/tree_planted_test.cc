// SPDX-License-Identifier: Apache-2.0
//
// Each step of TreeIndex that needs its order, and each that changes what others see, broken in the shipped code by its
// number, is found by one of the programs; so are changes that look at too little (tree_breakable.h). Three orders are
// not among them. Who sees that a leaf is claimed, [T6], only waits for a lock. Sealing and its undoing, [T11] and
// [T12], change a word whose other writers publish, which a read-modify-write of any order passes on to who reads it.

#include <gtest/gtest.h>

#include "program_suite.h"
#include "tree_programs.h"

namespace scree::model::tree {
namespace {

constexpr const char* kLeaf = "detail/tree_leaf.h";
constexpr const char* kInner = "detail/tree_inner.h";
constexpr const char* kChange = "detail/tree_change.h";
constexpr const char* kStructure = "detail/tree_structure.h";
constexpr const char* kCursor = "detail/tree_cursor.h";
constexpr const char* kEntry = "detail/entry.h";

using Breakable = BreakableTree<int, int>;

class TreePlanted : public PlantedTest {};
TEST_P(TreePlanted, is_found) { expect_is_found(); }

const Options kOrder{.stale_reads = 1, .delayed_stores = 0};

const Bug kBugs[] = {
    // What is in a slot is seen by who sees that it is published.
    {Plant::weaken(kLeaf, "T1"), insert_beside_insert_of_the_key, Error::kDataRace},
    {Plant::weaken(kLeaf, "T2"), insert_beside_insert_of_the_key, Error::kDataRace},
    {Plant::drop(kLeaf, "T2"), insert_beside_insert_of_the_key, Error::kDataRace},
    // Who copies a leaf has stopped its writers, and sees what they have published.
    {Plant::weaken(kLeaf, "T3"), publication_beside_copy, Error::kDataRace},
    {Plant::drop(kLeaf, "T3"), copy_beside_copy, Error::kLivelock, kOrder},
    // One copy takes the place of a leaf, and is whole for who follows it there.
    {Plant::weaken(kLeaf, "T4"), copy_beside_read, Error::kDataRace, kOrder},
    {Plant::weaken(kLeaf, "T5"), copy_beside_read, Error::kDataRace, kOrder},
    {Plant::drop(kLeaf, "T5"), copy_beside_copy, Error::kLivelock, kOrder},
    {Plant::weaken(kLeaf, "T7"), replacement_beside_upsert, Error::kDataRace, kOrder},
    {Plant::drop(kLeaf, "T7"),
     failing_split_beside_insert,
     Error::kLivelock,
     {.preemptions = 1, .stale_reads = 0, .delayed_stores = 0, .allocation_failures = 1}},
    // What a child pointer leads to is whole; what it led to before is retired once, after it has changed.
    {Plant::weaken(kInner, "T8"), copy_beside_read, Error::kDataRace, kOrder},
    {Plant::weaken(kInner, "T9"), split_below_the_root_beside_read, Error::kDataRace, kOrder},
    {Plant::drop(kInner, "T9"), split_below_the_root_beside_read, Error::kLivelock, kOrder},
    {Plant::weaken(kInner, "T10"), copy_beside_read, Error::kDataRace, kOrder},
    {Plant::drop(kInner, "T10"), copy_beside_read, Error::kUseAfterFree, kOrder},
    {Plant::drop(kInner, "T11"), split_beside_copies_of_the_neighbour, Error::kDoubleFree, kOrder},
    {Plant::drop(kInner, "T12"), replacement_beside_copy_of_the_neighbour, Error::kLivelock, kOrder},
    // The same of the root, and of the tree as a whole.
    {Plant::weaken(kStructure, "T13"), clear_beside_insert, Error::kDataRace, kOrder},
    {Plant::weaken(kStructure, "T14"), root_growth_beside_read, Error::kDataRace, kOrder},
    {Plant::weaken(kCursor, "T14"), root_growth_beside_walk, Error::kDataRace, kOrder},
    {Plant::weaken(kChange, "T15"), root_growth_beside_read, Error::kDataRace, kOrder},
    {Plant::drop(kChange, "T15"), split_beside_insert_into_the_leaf, Error::kLivelock, kOrder},
    {Plant::weaken(kStructure, "T16"), clear_beside_insert, Error::kDataRace, kOrder},
    {Plant::drop(kStructure, "T16"), clear_beside_insert, Error::kUseAfterFree, kOrder},
    // Key and value of one entry go at different times.
    {Plant::weaken(kEntry, "T17"), remove_beside_copy_with_keys, Error::kUnorderedFree, kOrder},
    {Plant::drop(kEntry, "T17"), remove_beside_copy_with_keys, Error::kLeak, kOrder},
    // What a change depends on is still so when it is made.
    {Plant::switch_on(Breakable::kBlindUpdate), update_beside_remove, Error::kCheck, kOrder},
    {Plant::switch_on(Breakable::kBlindUpdate), update_beside_update, Error::kCheck, kOrder},
    {Plant::switch_on(Breakable::kBlindUpdate), update_beside_update_in_the_leaf, Error::kCheck, kOrder},
    {Plant::switch_on(Breakable::kBlindReplace), exchange_beside_upsert, Error::kCheck, kOrder},
    {Plant::switch_on(Breakable::kBlindReplace), exchange_beside_exchange_of_none, Error::kCheck, kOrder},
    // A pop takes nothing from behind an empty leaf, and goes on when that has gone.
    {Plant::switch_on(Breakable::kPassesEmptyLeaf), pop_beside_unlink_of_the_first_leaf, Error::kCheck, kOrder},
    {Plant::switch_on(Breakable::kPassesEmptyLeaf), pop_beside_unlink_of_the_last_leaf, Error::kCheck, kOrder},
    {Plant::switch_on(Breakable::kStopsAtEmptyLeaf), pop_beside_unlink_of_the_first_leaf, Error::kCheck, kOrder},
    {Plant::switch_on(Breakable::kStopsAtEmptyLeaf), pop_beside_unlink_of_the_last_leaf, Error::kCheck, kOrder},
    // What is beside a range stays, and copies of the neighbours are found.
    {Plant::switch_on(Breakable::kLooksOnce), range_beside_insert_of_another, Error::kCheck, kOrder},
    {Plant::drop(kInner, "T11"), range_beside_copies_of_the_neighbour, Error::kCheck, kOrder},
    // Who finds the copy of an only leaf finds it whole.
    {Plant::weaken(kLeaf, "T7"), range_of_the_only_leaf_beside_insert, Error::kDataRace, kOrder},
};

INSTANTIATE_TEST_SUITE_P(Step, TreePlanted, testing::ValuesIn(kBugs), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model::tree

// SPDX-License-Identifier: Apache-2.0
//
// HashIndex under the explorer: every schedule and every outcome within the bounds that the output names, and each step
// that needs its order, broken in the shipped code by its number, is found by one of the programs.

#include <gtest/gtest.h>

#include "hash_programs.h"
#include "program_suite.h"

namespace scree::model::hash {
namespace {

class HashModel : public ProgramTest {};
TEST_P(HashModel, holds_within_the_bounds) { expect_holds_within_the_bounds(); }
TEST_P(HashModel, holds_at_random_beyond_the_bounds) { expect_holds_at_random_beyond_the_bounds(); }

const Options kTwo{.stale_reads = 1, .delayed_stores = 1, .random_executions = 2'000};
const Options kOne{.preemptions = 1, .stale_reads = 1, .delayed_stores = 1, .random_executions = 2'000};

const Case kCases[] = {
    {"insert_beside_insert_of_the_key", insert_beside_insert_of_the_key, kTwo},
    {"read_beside_insert", read_beside_insert, kTwo},
    {"read_beside_insert_of_a_likely_key", read_beside_insert_of_a_likely_key, kTwo},
    {"reads_beside_upserts", reads_beside_upserts, kTwo},
    {"read_beside_upsert_into_overflow", read_beside_upsert_into_overflow, kTwo},
    {"upserts_into_overflow_of_two_buckets", upserts_into_overflow_of_two_buckets, kTwo},
    {"reads_beside_remove", reads_beside_remove, kTwo},
    {"two_readers_beside_remove", two_readers_beside_remove, kOne},
    {"peek_beside_removals_and_inserts", peek_beside_removals_and_inserts, kTwo},
    {"reads_beside_growth", reads_beside_growth, kOne},
    {"upsert_beside_remove_in_growth", upsert_beside_remove_in_growth, kOne},
    {"upserts_in_growth_of_two_buckets", upserts_in_growth_of_two_buckets, kOne},
    {"reads_beside_upsert_in_growth", reads_beside_upsert_in_growth, kOne},
    {"iterate_beside_growth", iterate_beside_growth, kOne},
    {"iterate_beside_upsert_into_overflow", iterate_beside_upsert_into_overflow, kTwo},
};

INSTANTIATE_TEST_SUITE_P(Of, HashModel, testing::ValuesIn(kCases), [](const auto& of) { return name_of(of); });

constexpr const char* kBucket = "detail/hash_bucket.h";
constexpr const char* kState = "detail/hash_state.h";
constexpr const char* kTable = "detail/hash_table.h";
constexpr const char* kPool = "detail/hash_pool.h";
constexpr const char* kCore = "detail/hash_core.h";

class HashPlanted : public PlantedTest {};
TEST_P(HashPlanted, is_found) { expect_is_found(); }

const Bug kBugs[] = {
    // What is in a slot is seen by who sees that it is present.
    {Plant::weaken(kBucket, "H1"), read_beside_insert_of_a_likely_key, Error::kDataRace},
    {Plant::weaken(kBucket, "H2"), read_beside_insert_of_a_likely_key, Error::kDataRace},
    // Who sees a fingerprint overwritten sees that the state has changed.
    {Plant::weaken(kState, "F1"), reads_beside_upserts, Error::kCheck},
    {Plant::weaken(kState, "F2"), reads_beside_upserts, Error::kCheck},
    {Plant::weaken(kPool, "P1"), upserts_into_overflow_of_two_buckets, Error::kDataRace},
    {Plant::weaken(kPool, "P2"), upserts_into_overflow_of_two_buckets, Error::kDataRace},
    {Plant::weaken(kCore, "C1"), reads_beside_growth, Error::kDataRace},
    {Plant::weaken(kCore, "C3"), reads_beside_growth, Error::kDataRace},
    {Plant::drop(kTable, "C4"), upserts_in_growth_of_two_buckets, Error::kCheck},
};

INSTANTIATE_TEST_SUITE_P(Step, HashPlanted, testing::ValuesIn(kBugs), [](const auto& of) { return name_of(of); });

}  // namespace
}  // namespace scree::model::hash

// SPDX-License-Identifier: Apache-2.0
//
// HashIndex beside std::map under generated operations.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <vector>

#include <scree/hash_index.h>

#include "index_configs.h"
#include "index_steps.h"

namespace scree::test {
namespace {

template <class Config, class HashFunction = Hash<typename Config::Key>>
void agrees_with_a_map() {
  using Value = typename Config::Value;
  HashIndex<typename Config::Key, Value, HashFunction> index;
  Model<Config> model;
  const auto check_entries = [&] {
    auto entries = entries_of<Config>(index);
    std::sort(entries.begin(), entries.end());
    RC_ASSERT(std::equal(entries.begin(), entries.end(), model.begin(), model.end(),
                         [](const auto& a, const auto& b) { return a.first == b.first && a.second == b.second; }));
  };
  const ebr::Barrier barrier;
  HeldValues<Value> held;
  for (const Step& s : *steps()) {
    if (!run_common_step<Config, true>(s, index, model)) check_entries();
    held.hold(index.peek(Config::key(s.key), barrier));
    RC_ASSERT(index.len() == model.size());
    RC_ASSERT(index.is_empty() == model.empty());
  }
  check_entries();
  RC_ASSERT(held.unchanged());
}

RC_GTEST_PROP(HashIndexModel, agrees_with_a_map_of_integers, ()) { agrees_with_a_map<Integers>(); }
RC_GTEST_PROP(HashIndexModel, agrees_with_a_map_of_integers_to_strings, ()) { agrees_with_a_map<IntegersToStrings>(); }
RC_GTEST_PROP(HashIndexModel, agrees_with_a_map_of_strings, ()) { agrees_with_a_map<Strings>(); }
RC_GTEST_PROP(HashIndexModel, agrees_with_a_map_of_vectors, ()) { agrees_with_a_map<Vectors, HashOfVector>(); }

struct EqualHash {
  std::size_t operator()(std::uint64_t key) const noexcept { return key % 2; }
};
RC_GTEST_PROP(HashIndexModel, agrees_with_a_map_when_hashes_collide, ()) { agrees_with_a_map<Integers, EqualHash>(); }

}  // namespace
}  // namespace scree::test

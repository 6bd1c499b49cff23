// SPDX-License-Identifier: Apache-2.0
//
// Generated sequences of operations on an index, run beside the simplest model: std::map.

#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <scree/ebr.h>

namespace scree::test {

enum class StepKind : std::uint8_t {
  kInsert,
  kUpsert,
  kRemove,
  kRemoveIf,
  kFindOrInsert,
  kRead,
  kPeek,
  kIterate,
  kRange,
  kWalk,
  kNeighbours,
  kUpdate,
  kEntry,
  kPop,
  kClear
};

struct Step {
  StepKind kind;
  std::uint64_t key;
  std::uint64_t other;  // a value, or a second key
  std::uint8_t choice;
};

inline void showValue(const Step& s, std::ostream& out) {
  out << "{kind " << static_cast<int>(s.kind) << ", key " << s.key << ", other " << s.other << ", choice "
      << static_cast<int>(s.choice) << '}';
}
inline std::ostream& operator<<(std::ostream& out, const Step& s) {
  showValue(s, out);
  return out;
}

// Long sequences over few keys, so that keys are hit again and the structure still grows, shrinks and empties.
inline rc::Gen<std::vector<Step>> steps() {
  const auto kind = rc::gen::weightedElement<StepKind>({{12, StepKind::kInsert},
                                                        {6, StepKind::kUpsert},
                                                        {8, StepKind::kRemove},
                                                        {3, StepKind::kRemoveIf},
                                                        {3, StepKind::kFindOrInsert},
                                                        {4, StepKind::kRead},
                                                        {3, StepKind::kPeek},
                                                        {1, StepKind::kIterate},
                                                        {2, StepKind::kRange},
                                                        {2, StepKind::kWalk},
                                                        {2, StepKind::kNeighbours},
                                                        {3, StepKind::kUpdate},
                                                        {3, StepKind::kEntry},
                                                        {1, StepKind::kPop}});
  const auto step = rc::gen::build<Step>(rc::gen::set(&Step::kind, kind),
                                         rc::gen::set(&Step::key, rc::gen::inRange<std::uint64_t>(0, 80)),
                                         rc::gen::set(&Step::other, rc::gen::inRange<std::uint64_t>(0, 80)),
                                         rc::gen::set(&Step::choice, rc::gen::inRange<std::uint8_t>(0, 9)));
  const auto part = rc::gen::scale(5.0, rc::gen::container<std::vector<Step>>(step));
  // A clear now and then: between two parts, not within, so that the index grows meanwhile.
  return rc::gen::map(rc::gen::pair(part, part), [](std::pair<std::vector<Step>, std::vector<Step>> parts) {
    auto& [first, second] = parts;
    if (first.size() % 4 == 0) first.push_back({StepKind::kClear, 0, 0, 0});
    first.insert(first.end(), second.begin(), second.end());
    return first;
  });
}

template <class Config>
using Model = std::map<typename Config::Key, typename Config::Value>;

// The steps that every index has; false for those of ordered ones. `kSharedCells`: the index has find_or_insert.
template <class Config, bool kSharedCells, class Index>
bool run_common_step(const Step& s, Index& index, Model<Config>& model) {
  const auto key = Config::key(s.key);
  const auto value = Config::value(s.other);
  const auto found = model.find(key);
  const bool present = found != model.end();
  switch (s.kind) {
    case StepKind::kInsert:
      RC_ASSERT(index.insert(key, value) == !present);
      model.emplace(key, value);
      return true;
    case StepKind::kUpsert:
      RC_ASSERT(index.upsert(key, value) == present);
      model.insert_or_assign(key, value);
      return true;
    case StepKind::kRemove:
      RC_ASSERT(index.remove(key) == present);
      model.erase(key);
      return true;
    case StepKind::kRemoveIf: {
      const bool wanted = s.choice % 2 == 0;
      const auto* offered = static_cast<const typename Config::Value*>(nullptr);
      typename Config::Value copy{};
      RC_ASSERT(index.remove_if(key, [&](const typename Config::Value& v) {
        copy = v;
        offered = &copy;
        return wanted;
      }) == (present && wanted));
      RC_ASSERT((offered != nullptr) == present);
      if (present) RC_ASSERT(*offered == found->second);
      if (wanted) model.erase(key);
      return true;
    }
    case StepKind::kFindOrInsert:
      if constexpr (kSharedCells) {
        const ebr::Barrier barrier;
        const auto [cell, inserted] = index.find_or_insert(key, barrier, value);
        RC_ASSERT(inserted == !present);
        RC_ASSERT(cell == (present ? found->second : value));
        model.emplace(key, value);
      }
      return true;
    case StepKind::kRead: {
      const auto seen = index.read(key, [&](const auto& k, const typename Config::Value& v) {
        RC_ASSERT(k == key);
        return v;
      });
      RC_ASSERT(seen == (present ? std::optional(found->second) : std::nullopt));
      RC_ASSERT(index.contains(key) == present);
      RC_ASSERT(index.read(key, [](const auto&, const auto&) {}) == present);
      return true;
    }
    case StepKind::kPeek:
      if constexpr (requires(const ebr::Barrier& barrier) { index.peek(key, barrier); }) {
        const ebr::Barrier barrier;
        const auto* seen = index.peek(key, barrier);
        RC_ASSERT((seen != nullptr) == present);
        if (present) RC_ASSERT(*seen == found->second);
      }
      return true;
    case StepKind::kClear:
      index.clear();
      model.clear();
      return true;
    default:
      return false;
  }
}

// What an iteration of the whole index shows, in its order.
template <class Config, class Index>
std::vector<std::pair<typename Config::Key, typename Config::Value>> entries_of(const Index& index) {
  std::vector<std::pair<typename Config::Key, typename Config::Value>> entries;
  const ebr::Barrier barrier;
  for (auto [key, value] : index.iter(barrier)) entries.emplace_back(typename Config::Key(key), value);
  return entries;
}

// Values that were seen under one barrier, to be looked at again when their entries may be long gone.
template <class Value>
class HeldValues {
 public:
  void hold(const Value* value) {
    if (value != nullptr) held_.emplace_back(value, *value);
  }
  bool unchanged() const {
    for (const auto& [value, copy] : held_) {
      if (*value != copy) return false;
    }
    return true;
  }

 private:
  std::vector<std::pair<const Value*, Value>> held_;
};

}  // namespace scree::test

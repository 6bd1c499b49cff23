// SPDX-License-Identifier: Apache-2.0
//
// The engine against one std::map per index, under generated steps. Memtables are so small that the steps go
// through freezes, flushes and recoveries; snapshots have their own copies of the maps and are compared as long as they
// live.

#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <scree/engine.h>

#include "engine/engine_support.h"

namespace scree::test {
namespace {

enum class Kind { kPut, kErase, kBatch, kGet, kWalk, kScan, kTake, kLook, kRelease, kFlush, kReopen, kDropIndex };

struct Step {
  Kind kind = Kind::kPut;
  int index = 0;
  int key = 0;
  int choice = 0;
};

[[maybe_unused]] std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << '{' << static_cast<int>(step.kind) << ", " << step.index << ", " << step.key << ", " << step.choice
             << '}';
}

constexpr int kKeys = 70;
constexpr int kIndexes = 3;
constexpr IndexKind kKinds[kIndexes] = {IndexKind::kTree, IndexKind::kHash, IndexKind::kTree};

std::string index_name(int index) { return "index " + std::to_string(index); }
// Of different lengths, the first one empty, some prefixes of others.
std::string key_name(int key) {
  return std::string(static_cast<std::size_t>(key % 3), 'k') + (key < 3 ? "" : std::to_string(key / 3));
}

using Model = std::map<int, Entries>;
using Difference = std::optional<std::string>;

class Harness {
 public:
  Harness() {
    for (int i = 0; i < kIndexes; ++i) indexes_.push_back(engine_.create(index_name(i), kKinds[i]));
  }

  // Nothing, or the first difference between engine and model.
  Difference run(const std::vector<Step>& steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      number_ = i;
      if (auto difference = perform(steps[i])) return "step " + std::to_string(i) + ": " + *difference;
    }
    if (auto difference = compare(nullptr, model_)) return "at the end: " + *difference;
    return std::nullopt;
  }

 private:
  struct Taken {
    std::unique_ptr<const Snapshot> snapshot;
    Model model;
  };

  static std::string show(const std::optional<std::string>& value) {
    return value ? '"' + value->substr(0, 12) + "\" of " + std::to_string(value->size()) + " bytes" : "nothing";
  }
  static Difference failed(const Status& status) {
    if (status.is_ok()) return std::nullopt;
    return status.to_string();
  }

  std::string new_value(int choice) const {
    std::string value = "v" + std::to_string(number_);
    if (choice % 4 == 0) value.append(static_cast<std::size_t>(choice) * 37, 'x');
    return choice == 1 ? "" : value;
  }

  Difference perform(const Step& step) {
    const Index& index = indexes_[static_cast<std::size_t>(step.index)];
    Entries& entries = model_[step.index];
    const std::string key = key_name(step.key);
    switch (step.kind) {
      case Kind::kPut: {
        const std::string value = new_value(step.choice);
        entries[key] = value;
        return failed(engine_->put({}, index, key, value));
      }
      case Kind::kErase:
        entries.erase(key);
        return failed(engine_->erase({}, index, key));
      case Kind::kBatch:
        return batch(step);
      case Kind::kGet:
        return get(nullptr, model_, step.index, key);
      case Kind::kWalk:
        return walk(step, taken_.empty() ? nullptr : &taken_[step.key % taken_.size()]);
      case Kind::kScan:
        return compare_index(nullptr, model_, step.index);
      case Kind::kTake:
        if (taken_.size() < 4) taken_.push_back({engine_->snapshot(), model_});
        return std::nullopt;
      case Kind::kLook:
        if (taken_.empty()) return std::nullopt;
        if (auto difference = get(&taken_.back(), taken_.back().model, step.index, key)) return difference;
        return compare_index(&taken_.front(), taken_.front().model, step.index);
      case Kind::kRelease:
        if (taken_.empty()) return std::nullopt;
        if (auto difference = compare(&taken_.front(), taken_.front().model)) return difference;
        taken_.pop_front();
        return std::nullopt;
      case Kind::kFlush:
        return failed(engine_->flush());
      case Kind::kReopen:
        return reopen();
      case Kind::kDropIndex:
        return drop_and_create(step.index);
    }
    return "no such step";
  }

  Difference batch(const Step& step) {
    WriteBatch batch;
    for (int n = 0; n < 2 + step.choice % 9; ++n) {
      const int to = (step.index + n) % kIndexes;
      const std::string key = key_name((step.key + n * (step.choice % 4)) % kKeys);
      if ((step.choice + n) % 5 == 0) {
        batch.erase(indexes_[static_cast<std::size_t>(to)], key);
        model_[to].erase(key);
      } else {
        const std::string value = new_value(step.choice) + std::to_string(n);
        batch.put(indexes_[static_cast<std::size_t>(to)], key, value);
        model_[to][key] = value;
      }
    }
    return failed(engine_->write({}, batch));
  }

  Difference reopen() {
    taken_.clear();
    if (Status status = engine_->close(); !status.is_ok()) return status.to_string();
    engine_.reopen();
    for (int i = 0; i < kIndexes; ++i) {
      if (auto difference =
              failed(engine_->open_index(index_name(i), kKinds[i], &indexes_[static_cast<std::size_t>(i)]))) {
        return difference;
      }
    }
    return compare(nullptr, model_);
  }

  Difference drop_and_create(int index) {
    taken_.clear();  // their index is gone for operations that begin now
    model_[index].clear();
    if (auto difference = failed(engine_->drop_index(index_name(index)))) return difference;
    return failed(engine_->create_index(index_name(index), kKinds[index], &indexes_[static_cast<std::size_t>(index)]));
  }

  Difference get(const Taken* taken, const Model& model, int index, const std::string& key) const {
    ReadOptions options;
    if (taken != nullptr) options.snapshot = taken->snapshot.get();
    std::optional<std::string> value(std::in_place);
    const Status status = (*engine_).get(options, indexes_[static_cast<std::size_t>(index)], key, &*value);
    if (status.is_not_found()) {
      value.reset();
    } else if (!status.is_ok()) {
      return status.to_string();
    }
    std::optional<std::string> expected;
    if (const auto of_index = model.find(index); of_index != model.end()) {
      if (const auto entry = of_index->second.find(key); entry != of_index->second.end()) expected = entry->second;
    }
    if (value == expected) return std::nullopt;
    return "key \"" + key + "\" of " + index_name(index) + " is " + show(value) + ", not " + show(expected);
  }

  // A cursor between bounds and a map, side by side.
  Difference walk(const Step& step, const Taken* taken) const {
    const int index = step.index == 1 ? 0 : step.index;
    const Model& model = taken != nullptr ? taken->model : model_;
    Entries entries;
    if (const auto found = model.find(index); found != model.end()) entries = found->second;
    IteratorOptions options;
    if (taken != nullptr) options.snapshot = taken->snapshot.get();
    const std::string lower = key_name(step.choice % kKeys);
    const std::string upper = key_name((step.choice * 7) % kKeys);
    if (step.choice % 2 == 0) {
      options.lower_bound = &lower;
      entries.erase(entries.begin(), entries.lower_bound(lower));
    }
    if (step.choice % 3 == 0) {
      options.upper_bound = &upper;
      entries.erase(entries.lower_bound(upper), entries.end());
    }
    const auto it = (*engine_).iterator(options, indexes_[static_cast<std::size_t>(index)]);
    const std::string target = key_name(step.key);
    Entries::const_iterator at = entries.lower_bound(target);
    if (step.choice % 5 < 3) {
      it->seek(target);
    } else {
      it->seek_for_prev(target);
      at = entries.upper_bound(target);
      at = at == entries.begin() ? entries.end() : std::prev(at);
    }
    std::uint32_t moves = static_cast<std::uint32_t>(step.key + 1) * 2654435761u;
    for (int n = 0; n < 40; ++n) {
      if (!it->status().is_ok()) return it->status().to_string();
      const auto there = it->valid() ? std::optional(std::string(it->key())) : std::nullopt;
      const auto expected = at == entries.end() ? std::nullopt : std::optional(at->first);
      if (there != expected)
        return "after " + std::to_string(n) + " moves at " + show(there) + ", not " + show(expected);
      if (!there) break;
      if (it->value() != at->second) return "key " + show(there) + " has value " + show(std::string(it->value()));
      if ((moves = moves * 1664525u + 1013904223u) >> 29 < 5) {
        it->next();
        ++at;
      } else {
        it->prev();
        at = at == entries.begin() ? entries.end() : std::prev(at);
      }
    }
    return std::nullopt;
  }

  Difference compare_index(const Taken* taken, const Model& model, int index) const {
    const Index& handle = indexes_[static_cast<std::size_t>(index)];
    const auto found = model.find(index);
    const Entries expected = found == model.end() ? Entries{} : found->second;
    const Snapshot* snapshot = taken == nullptr ? nullptr : taken->snapshot.get();
    if (scan(*engine_, handle, snapshot) != expected) return "a scan of " + index_name(index) + " differs";
    if (kKinds[index] == IndexKind::kTree && scan_backwards(*engine_, handle, snapshot) != expected) {
      return "a backward scan of " + index_name(index) + " differs";
    }
    return std::nullopt;
  }

  Difference compare(const Taken* taken, const Model& model) const {
    for (int index = 0; index < kIndexes; ++index) {
      if (auto difference = compare_index(taken, model, index)) return difference;
      for (int key = 0; key < kKeys; ++key) {
        if (auto difference = get(taken, model, index, key_name(key))) return difference;
      }
    }
    return std::nullopt;
  }

  mutable TestEngine engine_{small_options(), memory_directory()};
  std::vector<Index> indexes_;
  Model model_;
  std::deque<Taken> taken_;
  std::size_t number_ = 0;
};

rc::Gen<std::vector<Step>> steps() {
  const auto kind = rc::gen::weightedElement<Kind>({{30, Kind::kPut},
                                                    {8, Kind::kErase},
                                                    {12, Kind::kBatch},
                                                    {10, Kind::kGet},
                                                    {10, Kind::kWalk},
                                                    {3, Kind::kScan},
                                                    {3, Kind::kTake},
                                                    {6, Kind::kLook},
                                                    {1, Kind::kRelease},
                                                    {2, Kind::kFlush},
                                                    {2, Kind::kReopen},
                                                    {2, Kind::kDropIndex}});
  const auto step = rc::gen::build<Step>(
      rc::gen::set(&Step::kind, kind), rc::gen::set(&Step::index, rc::gen::inRange(0, kIndexes)),
      rc::gen::set(&Step::key, rc::gen::inRange(0, kKeys)), rc::gen::set(&Step::choice, rc::gen::inRange(0, 30)));
  return rc::gen::scale(4.0, rc::gen::container<std::vector<Step>>(step));
}

TEST(EngineModel, answers_like_a_map_through_snapshots_flushes_and_reopening) {
  rc::detail::TestParams bounds = rc::detail::configuration().testParams;
  bounds.maxSuccess = 40;
  const auto result = rc::detail::checkTestable(
      [] {
        Harness harness;
        if (const Difference difference = harness.run(*steps())) RC_FAIL(*difference);
      },
      rc::detail::TestMetadata{}, bounds);
  std::ostringstream what;
  rc::detail::printResultMessage(result, what);
  EXPECT_TRUE(result.template is<rc::detail::SuccessResult>()) << what.str();
}

}  // namespace
}  // namespace scree::test

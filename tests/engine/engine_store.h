// SPDX-License-Identifier: Apache-2.0
//
// The engine in the shape that the checkers of snapshots (tests/snapshot/checkers.h) run: a tree (index 0) and a hash
// (index 1). One thread freezes and flushes all the while. And engines that are used wrongly, which the checkers must
// catch.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <scree/atomic.h>
#include <scree/engine.h>

#include "engine/engine_support.h"
#include "support/commit_history.h"

namespace scree::test {

class EngineStore {
 public:
  class Snapshot {
   public:
    explicit Snapshot(std::shared_ptr<const scree::Snapshot> snapshot) : snapshot_(std::move(snapshot)) {}
    std::uint64_t sequence() const { return snapshot_->sequence(); }
    const scree::Snapshot* get() const { return snapshot_.get(); }

   private:
    std::shared_ptr<const scree::Snapshot> snapshot_;
  };

  EngineStore() : flusher_([this] { run_flusher(); }) {}
  ~EngineStore() {
    stopping_.store(true, memory_order_release);
    ask_for_flush();
    flusher_.join();
  }

  std::uint64_t commit(const std::vector<PlaceWrite>& writes) {
    WriteBatch batch;
    for (const PlaceWrite& w : writes) {
      const Index& index = indexes_[static_cast<std::size_t>(w.place.index)];
      w.value ? batch.put(index, key(w.place), std::to_string(*w.value)) : batch.erase(index, key(w.place));
    }
    std::uint64_t sequence = 0;
    EXPECT_TRUE(is_ok(engine_->write({}, batch, &sequence)));
    if (commits_.fetch_add(1, memory_order_relaxed) % 16 == 0) ask_for_flush();
    return sequence;
  }
  Snapshot snapshot() { return Snapshot(engine_->snapshot()); }
  std::optional<std::int64_t> get(Place place) { return get_at(place, nullptr); }
  std::optional<std::int64_t> get(Place place, const Snapshot& snapshot) { return get_at(place, snapshot.get()); }
  Contents contents(const Snapshot& snapshot) { return contents_at(snapshot.get()); }

 protected:
  std::optional<std::int64_t> get_at(Place place, const scree::Snapshot* snapshot) {
    const std::string value = value_of(*engine_, indexes_[static_cast<std::size_t>(place.index)], key(place), snapshot);
    return value == "(none)" ? std::nullopt : std::optional<std::int64_t>(std::stoll(value));
  }
  // Without a snapshot: each index as of its own moment.
  Contents contents_at(const scree::Snapshot* snapshot) {
    Contents contents;
    for (const int index : {0, 1}) {
      for (const auto& [name, value] : scan(*engine_, indexes_[static_cast<std::size_t>(index)], snapshot)) {
        contents[{index, std::stoull(name)}] = std::stoll(value);
      }
    }
    return contents;
  }

 private:
  static std::string key(Place place) { return std::to_string(place.key); }

  void ask_for_flush() {
    requests_.fetch_add(1, memory_order_release);
    requests_.notify_one();
  }
  void run_flusher() {
    for (std::uint64_t seen = 0; !stopping_.load(memory_order_acquire);) {
      requests_.wait(seen, memory_order_acquire);
      seen = requests_.load(memory_order_acquire);
      EXPECT_TRUE(is_ok(engine_->flush()));
    }
  }

  TestEngine engine_{small_options(), memory_directory()};
  const std::vector<Index> indexes_{engine_.create("tree"), engine_.create("hash", IndexKind::kHash)};
  Atomic<std::uint64_t> commits_{0};
  Atomic<std::uint64_t> requests_{0};
  Atomic<bool> stopping_{false};
  std::thread flusher_;
};

// Makes of each batch several commits.
class SplitsBatches : public EngineStore {
 public:
  std::uint64_t commit(const std::vector<PlaceWrite>& writes) {
    std::uint64_t sequence = 0;
    for (const PlaceWrite& write : writes) sequence = EngineStore::commit({write});
    return sequence;
  }
};

// Reads what is there now, not what the snapshot shows.
class IgnoresSnapshots : public EngineStore {
 public:
  Contents contents(const Snapshot&) { return contents_at(nullptr); }
};

// Answers from a snapshot that is a few reads old.
class ReadsThePast : public EngineStore {
 public:
  using EngineStore::get;
  std::optional<std::int64_t> get(Place place) {
    thread_local std::pair<ReadsThePast*, std::optional<Snapshot>> past;
    thread_local int reads = 0;
    if (past.first != this || ++reads % 4 == 0) past = {this, snapshot()};
    return get(place, *past.second);
  }
};

}  // namespace scree::test

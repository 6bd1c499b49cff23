// SPDX-License-Identifier: Apache-2.0
//
// What the explorer's programs over TreeIndex consist of: a tree that is made by a list of operations, and threads that
// run a list each. In the end there must be one order of all operations that explains what each of them returned and
// what is in the tree; walks, which see no state of one moment, are judged by what was there throughout.
//
// Slots, bases, separators and places of entries are Plain under the explorer, as are the values here: a race on any of
// them, and a read of one that was freed or destroyed, is reported. Bytes of keys that lie out of line are not; the
// size before them is atomic, and read with them.

#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <coroutine>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <scree/ebr.h>
#include <scree/resume_hook.h>

#include "model/ebr_programs.h"
#include "model/explorer.h"
#include "support/coroutine.h"
#include "support/tree_walk.h"
#include "tree_breakable.h"

namespace scree::model {

// A value out of line; destroyed before its memory is freed.
class TreeValue {
 public:
  explicit TreeValue(int value) : value_(value) {}
  int number() const { return value_; }

 private:
  Plain<int> value_;
};

// How keys 1..999 and values are kept.
struct InLeaves {
  using Index = BreakableTree<int, int>;
  static int key(int number) { return number; }
  static int number_of(int key) { return key; }
  static int value_of(int value) { return value; }
  static int of_number(int value) { return value; }
};
struct KeysInLeaves {
  using Index = BreakableTree<int, TreeValue>;
  static int key(int number) { return number; }
  static int number_of(int key) { return key; }
  static int value_of(const TreeValue& value) { return value.number(); }
  static TreeValue of_number(int value) { return TreeValue(value); }
};
// All keys have the same first bytes, so that they are compared where they lie.
template <int kBytes>
struct Bytes {
  using Index = BreakableTree<std::string, TreeValue>;
  static std::string key(int number) { return std::string(kBytes - 3, 'k') + std::to_string(1000 + number).substr(1); }
  static int number_of(std::string_view key) {
    const char* const digits = key.data() + key.size() - 3;
    return 100 * (digits[0] - '0') + 10 * (digits[1] - '0') + (digits[2] - '0');
  }
  static int value_of(const TreeValue& value) { return value.number(); }
  static TreeValue of_number(int value) { return TreeValue(value); }
};
using Strings = Bytes<11>;
using LongStrings = Bytes<60>;

struct TreeStep {
  enum class Kind {
    kInsert,
    kUpsert,
    kRemove,
    kRemoveRange,
    kUpdate,
    kExchange,
    kPopFirst,
    kPopLast,
    kRead,
    kClear,
    kWalk,
    kWalkBack,
    kFill,
    kCollect,
    kInsertAsync,
    kRemoveAsync,
    kPopFirstAsync,
    kDestroy,
    kDefer,
    kCrowd
  };
  Kind kind;
  int key = 0;
  int value = 0;
  int result = 0;
  bool failed = false;  // for want of memory
  bool ended = false;   // of a coroutine
  int shown = 0;        // by a handle
  int seen = 0;         // by a walk
  std::array<int, 24> keys{};
  std::array<int, 24> values{};

  bool is_async() const {
    return kind == Kind::kInsertAsync || kind == Kind::kRemoveAsync || kind == Kind::kPopFirstAsync;
  }
  bool is_pop() const { return kind == Kind::kPopFirst || kind == Kind::kPopLast || kind == Kind::kPopFirstAsync; }
  bool is_in_range(int other) const { return kind == Kind::kRemoveRange && other >= key && other <= value; }
  bool is_walk() const { return kind == Kind::kWalk || kind == Kind::kWalkBack; }
};

namespace tree {

// Returns 1 or 0, as the others do.
inline TreeStep insert(int key, int value = 1) { return {TreeStep::Kind::kInsert, key, value}; }
inline TreeStep upsert(int key, int value = 2) { return {TreeStep::Kind::kUpsert, key, value}; }
inline TreeStep remove(int key) { return {TreeStep::Kind::kRemove, key}; }
// Adds to the value.
inline TreeStep update(int key, int by = 10) { return {TreeStep::Kind::kUpdate, key, by}; }
// By a handle.
inline TreeStep exchange(int key, int value) { return {TreeStep::Kind::kExchange, key, value}; }
// Return 1000 * the key + the value, or 0.
inline TreeStep pop_first() { return {TreeStep::Kind::kPopFirst}; }
inline TreeStep pop_last() { return {TreeStep::Kind::kPopLast}; }
// Both bounds included. Returns how many.
inline TreeStep remove_range(int lower, int upper) { return {TreeStep::Kind::kRemoveRange, lower, upper}; }
// Returns the value, or 0.
inline TreeStep read(int key) { return {TreeStep::Kind::kRead, key}; }
inline TreeStep clear() { return {TreeStep::Kind::kClear}; }
inline TreeStep walk() { return {TreeStep::Kind::kWalk}; }
inline TreeStep walk_back() { return {TreeStep::Kind::kWalkBack}; }
// 10, 20, …, 10 n, in this order.
inline TreeStep fill(int n) { return {TreeStep::Kind::kFill, 10 * n}; }
inline TreeStep collect() { return {TreeStep::Kind::kCollect}; }
// By a coroutine, which may end after the steps of its thread that follow: so these are of no effect. A thread has one.
inline TreeStep insert_async(int key, int value = 1) { return {TreeStep::Kind::kInsertAsync, key, value}; }
inline TreeStep remove_async(int key) { return {TreeStep::Kind::kRemoveAsync, key}; }
inline TreeStep pop_first_async() { return {TreeStep::Kind::kPopFirstAsync}; }
// The thread's coroutine, as far as it has come.
inline TreeStep destroy() { return {TreeStep::Kind::kDestroy}; }
// It is resumed when all threads have ended.
inline TreeStep defer() { return {TreeStep::Kind::kDefer}; }
// When all threads have ended: splits the leaf of the key.
inline TreeStep crowd(int key) { return {TreeStep::Kind::kCrowd, key}; }

}  // namespace tree

using TreeSteps = std::initializer_list<TreeStep>;

// A coroutine. Where it is destroyed while others may let it on, whoever comes first does either.
class Awaiting final : public ResumeHook {
 public:
  enum class Mode { kWithoutHook, kMayBeDestroyed, kDeferred };

  void resume(std::coroutine_handle<> handle) noexcept override {
    const std::lock_guard lock(mutex_);
    if (is_deferred_) {
      deferred_ = handle;
    } else if (!is_destroyed_) {
      handle.resume();
    }
  }
  template <class Begin>
  void begin(const Begin& begin_coroutine, Mode mode) {
    if (mode == Mode::kWithoutHook) {
      coroutine_ = begin_coroutine();
      return;
    }
    const std::lock_guard lock(mutex_);
    const ResumeScope scope(*this);
    is_deferred_ = mode == Mode::kDeferred;
    coroutine_ = begin_coroutine();
  }
  void destroy() {
    const std::lock_guard lock(mutex_);
    is_destroyed_ = true;
    coroutine_.destroy();
  }
  bool is_destroyed() const { return is_destroyed_; }
  void resume_deferred() {
    const std::coroutine_handle<> handle = deferred_;
    if (handle) handle.resume();
  }

 private:
  std::mutex mutex_;
  test::Coroutine coroutine_;
  Plain<bool> is_destroyed_ = false;
  Plain<bool> is_deferred_ = false;
  Plain<std::coroutine_handle<>> deferred_ = nullptr;
};

template <class Kept>
class TreeScene : public Registered {
 public:
  static constexpr int kThreads = 3, kSteps = 4, kKeys = 256;
  using Contents = std::array<int, kKeys>;  // the value of each key; 0: none

  TreeScene(TreeSteps before, std::initializer_list<TreeSteps> threads) {
    for (TreeStep step : before) run(step);
    while (ebr::collect()) {
    }
    before_ = contents();
    for (const TreeSteps& steps : threads) {
      for (const TreeStep& step : steps) steps_[threads_][counts_[threads_]++] = step;
      ++threads_;
    }
    find_keys();
  }

  void run_thread(int thread) {
    begin(thread);
    for (int n = 0; n < counts_[thread]; ++n) {
      TreeStep& step = steps_[thread][n];
      if (step.is_async()) {
        const Kind next = n + 1 == counts_[thread] ? step.kind : steps_[thread][n + 1].kind;
        begin_async(step, awaiting_[thread],
                    next == Kind::kDestroy ? Awaiting::Mode::kMayBeDestroyed
                    : next == Kind::kDefer ? Awaiting::Mode::kDeferred
                                           : Awaiting::Mode::kWithoutHook);
      } else if (step.kind == Kind::kDestroy) {
        awaiting_[thread].destroy();
      } else {
        run(step);
      }
    }
  }

  // In the end.
  void expect() {
    begin(0);
    for (auto& awaiting : awaiting_) awaiting.resume_deferred();
    const Contents after = contents();
    Progress progress;
    Contents now = before_;
    check(is_explained(progress, now, after), "one order explains all results and the contents");
    for (int thread = 0; thread < threads_; ++thread) {
      for (int n = 0; n < counts_[thread]; ++n) {
        const TreeStep& step = steps_[thread][n];
        if (step.is_walk()) expect_walk(step);
        if (step.is_async()) check(step.ended || awaiting_[thread].is_destroyed(), "who waits is let on");
      }
    }
    for (int thread = 0; thread < threads_; ++thread) {
      for (int n = 0; n < counts_[thread]; ++n) {
        if (steps_[thread][n].kind == Kind::kCrowd) crowd(steps_[thread][n].key, after);
      }
    }
    // Whatever was left to be done later is done now.
    for (int key = 1; key < kKeys; ++key) {
      if (after[key] == 0) continue;
      check(index_->upsert(Kept::key(key), after[key]), "it is there");
    }
    for (int key = 1; key < kKeys; ++key) {
      if (after[key] != 0) check(index_->remove(Kept::key(key)), "it is there");
    }
    check(index_->is_empty(), "all are gone");
    index_.reset();
    for (auto& awaiting : awaiting_) awaiting.destroy();
    expect_all_is_freed();
  }

 private:
  using Kind = TreeStep::Kind;

  // What memory does not suffice for has no effect.
  void run(TreeStep& step) {
    try {
      run_or_throw(step);
    } catch (const std::bad_alloc&) {
      step.failed = true;
    }
  }
  void run_or_throw(TreeStep& step) {
    switch (step.kind) {
      case Kind::kInsert:
        step.result = index_->insert(Kept::key(step.key), step.value);
        break;
      case Kind::kUpsert:
        step.result = index_->upsert(Kept::key(step.key), step.value);
        break;
      case Kind::kRemove:
        step.result = index_->remove(Kept::key(step.key));
        break;
      case Kind::kUpdate:
        step.result = index_->update(Kept::key(step.key), [&](const auto& value) {
          return Kept::of_number(Kept::value_of(value) + step.value);
        });
        break;
      case Kind::kExchange:
        step.result = index_->exchange(Kept::key(step.key), step.value, [&](const auto* value) {
          return step.shown = value == nullptr ? 0 : Kept::value_of(*value);
        });
        break;
      case Kind::kPopFirst:
      case Kind::kPopLast:
        step.result = pop(step.kind == Kind::kPopFirst);
        break;
      case Kind::kRemoveRange:
        step.result =
            static_cast<int>(index_->remove_range(included(Kept::key(step.key)), included(Kept::key(step.value))));
        break;
      case Kind::kRead:
        step.result = read(step.key);
        break;
      case Kind::kClear:
        index_->clear();
        break;
      case Kind::kWalk:
      case Kind::kWalkBack:
        walk(step);
        break;
      case Kind::kFill:
        for (int key = 10; key <= step.key; key += 10) index_->insert(Kept::key(key), 1);
        break;
      case Kind::kCollect:
        ebr::collect();
        break;
      default:
        break;
    }
  }
  void crowd(int key, const Contents& contents) {
    for (int near = key + 1; near < key + 9; ++near) {
      if (contents[near] == 0) check(index_->insert(Kept::key(near), 1), "it is not there");
    }
    for (int near = key + 1; near < key + 9; ++near) {
      if (contents[near] == 0) check(index_->remove(Kept::key(near)), "it is there");
    }
  }
  void begin_async(TreeStep& step, Awaiting& awaiting, Awaiting::Mode mode) {
    const auto begin = [&] {
      return step.kind == Kind::kInsertAsync   ? insert_async(step)
             : step.kind == Kind::kRemoveAsync ? remove_async(step)
                                               : pop_first_async(step);
    };
    try {
      awaiting.begin(begin, mode);
    } catch (const std::bad_alloc&) {
      step.failed = step.ended = true;
    }
  }
  test::Coroutine insert_async(TreeStep& step) {
    try {
      const bool fresh = co_await index_->insert_async(Kept::key(step.key), step.value);
      step.result = fresh;
    } catch (const std::bad_alloc&) {
      step.failed = true;
    }
    end_async(step);
  }
  test::Coroutine remove_async(TreeStep& step) {
    try {
      const bool removed = co_await index_->remove_async(Kept::key(step.key));
      step.result = removed;
    } catch (const std::bad_alloc&) {
      step.failed = true;
    }
    end_async(step);
  }
  test::Coroutine pop_first_async(TreeStep& step) {
    try {
      co_await index_->pop_first_async([&step](const auto& key, const auto& value) {
        step.result = 1000 * Kept::number_of(key) + Kept::value_of(value);
      });
    } catch (const std::bad_alloc&) {
      step.failed = true;
    }
    end_async(step);
  }
  static void end_async(TreeStep& step) {
    check(!step.ended, "a coroutine goes on once");
    check(ebr::detail::this_record()->is_outside(), "it goes on outside barriers");
    step.ended = true;
  }
  int pop(bool first) {
    const Barrier barrier;
    const auto popped = first ? index_->pop_first(barrier) : index_->pop_last(barrier);
    return popped ? 1000 * Kept::number_of(popped->first) + Kept::value_of(popped->second) : 0;
  }
  int read(int key) const {
    const auto value = index_->read(Kept::key(key), [](const auto&, const auto& v) { return Kept::value_of(v); });
    return value ? *value : 0;
  }
  void walk(TreeStep& step) const {
    const Barrier barrier;
    auto at = index_->cursor(barrier);
    const bool forward = step.kind == Kind::kWalk;
    forward ? at.seek_to_first() : at.seek_to_last();
    for (step.seen = 0; at.valid(); forward ? at.next() : at.prev()) {
      check(step.seen < static_cast<int>(step.keys.size()), "a walk ends");
      step.keys[step.seen] = Kept::number_of(at.key());
      step.values[step.seen++] = Kept::value_of(at.value());
    }
    const auto end = step.keys.begin() + step.seen;
    if (!forward) {
      std::reverse(step.keys.begin(), end);
      std::reverse(step.values.begin(), step.values.begin() + step.seen);
    }
    check(std::adjacent_find(step.keys.begin(), end, std::greater_equal<>()) == end, "keys come in their order, once");
  }

  // By walks both ways, which agree with each other and with reads.
  Contents contents() const {
    TreeStep forward = tree::walk(), backward = tree::walk_back();
    walk(forward), walk(backward);
    check(forward.seen == backward.seen && forward.keys == backward.keys && forward.values == backward.values,
          "both ways there is the same");
    check(test::size_is_exact(*index_), "what is counted is what there is");
    Contents contents{};
    for (int n = 0; n < forward.seen; ++n) {
      contents[forward.keys[n]] = forward.values[n];
      check(read(forward.keys[n]) == forward.values[n], "what a walk meets is found by its key");
    }
    return contents;
  }

  // Of each thread, how many steps are done, and of the next one, if it removes a range, for which keys.
  struct Progress {
    std::array<int, kThreads> done{};
    std::array<std::bitset<kKeys>, kThreads> part{};
    std::array<int, kThreads> removed{};
    int last = 0;  // the key, if that was just done of a range
  };
  // Whether the steps that are not done yet can be done in some order that explains their results and leads to `end`.
  bool is_explained(const Progress& progress, Contents& now, const Contents& end) const {
    bool all = true;
    for (int thread = 0; thread < threads_; ++thread) {
      if (progress.done[thread] == counts_[thread]) continue;
      all = false;
      const TreeStep& step = steps_[thread][progress.done[thread]];
      if (step.kind == Kind::kRemoveRange) {
        if (range_is_explained(thread, step, progress, now, end)) return true;
        continue;
      }
      Progress next = progress;
      ++next.done[thread];
      next.last = 0;
      const Contents saved = now;
      const bool explained = is_explained_now(step, now) && is_explained(next, now, end);
      now = saved;
      if (explained) return true;
    }
    return all && now == end;
  }
  // Each key is removed by itself, at any moment of the step: first those that no other thread has to do with. Removals
  // that follow one another directly are tried in one order only, that of the keys. A step that failed may have removed
  // some.
  bool range_is_explained(int thread, const TreeStep& step, const Progress& progress, Contents& now,
                          const Contents& end) const {
    Progress next = progress;
    const Contents saved = now;
    std::bitset<kKeys> left;
    for (int key = step.key; key <= step.value; ++key) {
      if (next.part[thread][key] || !in_play_[key]) continue;
      if (step.failed || is_shared(thread, key)) {
        left.set(key);
      } else {
        next.part[thread].set(key);
        next.removed[thread] += std::exchange(now[key], 0) != 0 ? 1 : 0;
      }
    }
    bool explained = false;
    if (step.failed || (left.none() && next.removed[thread] == step.result)) {
      Progress done = next;
      ++done.done[thread];
      done.part[thread].reset();
      done.removed[thread] = 0;
      explained = is_explained(done, now, end);
    }
    for (int key = progress.last; key < kKeys && !explained; ++key) {
      if (!left[key]) continue;
      Progress removed = next;
      removed.part[thread].set(key);
      removed.last = key;
      const int value = std::exchange(now[key], 0);
      removed.removed[thread] += value != 0 ? 1 : 0;
      explained = is_explained(removed, now, end);
      now[key] = value;
    }
    now = saved;
    return explained;
  }
  bool is_shared(int thread, int key) const {
    for (int other = 0; other < threads_; ++other) {
      if (other != thread && concerned_[other][key]) return true;
    }
    return false;
  }
  // What keys there may be, and which of them each thread has to do with.
  void find_keys() {
    for (int key = 0; key < kKeys; ++key) in_play_[key] = before_[key] != 0;
    for (int thread = 0; thread < threads_; ++thread) {
      for (int n = 0; n < counts_[thread]; ++n) {
        const TreeStep& step = steps_[thread][n];
        if (step.kind != Kind::kRemoveRange) in_play_.set(step.key);
        for (int key = 0; key < kKeys; ++key) {
          const bool of_any = step.kind == Kind::kClear || step.is_pop();
          if (of_any || step.key == key || step.is_in_range(key)) concerned_[thread].set(key);
        }
      }
    }
  }
  static bool is_explained_now(const TreeStep& step, Contents& now) {
    if (step.failed || (step.is_async() && !step.ended)) return true;
    int& value = now[step.key];
    const bool present = value != 0;
    switch (step.kind) {
      case Kind::kInsert:
      case Kind::kInsertAsync:
        if (!present) value = step.value;
        return step.result == (present ? 0 : 1);
      case Kind::kUpsert:
        value = step.value;
        return step.result == (present ? 1 : 0);
      case Kind::kRemove:
      case Kind::kRemoveAsync:
        value = 0;
        return step.result == (present ? 1 : 0);
      case Kind::kUpdate:
        if (present) value += step.value;
        return step.result == (present ? 1 : 0);
      case Kind::kExchange: {
        const bool as_shown = value == step.shown;
        if (as_shown) value = step.value;
        return step.result == (as_shown ? 1 : 0);
      }
      case Kind::kPopFirst:
      case Kind::kPopFirstAsync:
      case Kind::kPopLast: {
        const auto is_there = [](int v) { return v != 0; };
        const int end = step.kind != Kind::kPopLast
                            ? static_cast<int>(std::find_if(now.begin(), now.end(), is_there) - now.begin())
                            : static_cast<int>(now.rend() - std::find_if(now.rbegin(), now.rend(), is_there)) - 1;
        if (end < 0 || end == kKeys) return step.result == 0;
        return step.result == 1000 * end + std::exchange(now[end], 0);
      }
      case Kind::kRead:
        return step.result == value;
      case Kind::kClear:
        now = {};
        return true;
      default:
        return true;
    }
  }

  // What was there throughout was met; what was met had been put there.
  void expect_walk(const TreeStep& walk) const {
    for (int key = 1; key < kKeys; ++key) {
      bool may_be_absent = before_[key] == 0, has_met = false, put = false;
      int met = 0;
      for (int n = 0; n < walk.seen; ++n) {
        if (walk.keys[n] == key) has_met = true, met = walk.values[n];
      }
      put = met == before_[key];
      for (int thread = 0; thread < threads_; ++thread) {
        for (int n = 0; n < counts_[thread]; ++n) {
          const TreeStep& step = steps_[thread][n];
          if (step.kind == Kind::kClear || (step.kind == Kind::kRemove && step.key == key) || step.is_in_range(key)) {
            may_be_absent = true;
          }
          if (step.is_pop() && step.result / 1000 == key) may_be_absent = true;
          const bool puts = step.kind == Kind::kInsert || step.kind == Kind::kUpsert;
          if (puts && step.key == key && step.value == met) put = true;
        }
      }
      check(has_met ? put : may_be_absent, "a walk meets what is there throughout, and nothing that never was");
    }
  }

  std::optional<typename Kept::Index> index_{std::in_place};
  Contents before_{};
  int threads_ = 0;
  std::array<int, kThreads> counts_{};
  std::array<std::array<TreeStep, kSteps>, kThreads> steps_{};
  std::array<Awaiting, kThreads> awaiting_{};
  std::bitset<kKeys> in_play_;
  std::array<std::bitset<kKeys>, kThreads> concerned_{};
};

template <class Kept>
void on_a_tree(Program& p, TreeSteps before, std::initializer_list<TreeSteps> threads) {
  auto& s = p.make<TreeScene<Kept>>(before, threads);
  for (int thread = 0; thread < static_cast<int>(threads.size()); ++thread) {
    p.thread([&s, thread] { s.run_thread(thread); });
  }
  p.at_end([&s] { s.expect(); });
}

}  // namespace scree::model

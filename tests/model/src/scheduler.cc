// SPDX-License-Identifier: Apache-2.0
//
// Who goes next. A thread stands before its next step until it is picked; a delayed store's becoming visible is a
// candidate of its own. What a thread does between two steps is invisible to others, or a race.

#include <algorithm>
#include <bit>

#include "engine.h"

namespace scree::model {
namespace {

// Steps in a row after which a thread that could go on lets others go first: a loop that waits for them ends.
constexpr std::uint32_t kFairness = 200;
constexpr std::uint32_t kMaxSequentialSteps = 1'000'000;
constexpr std::uint32_t kStayOutOf = 4;  // a random walk stays with its thread three times out of so many

std::uint32_t bit(int candidate) { return 1u << candidate; }

}  // namespace

// Returns when the current thread may do what it intends. `commits`: the step also makes the thread's delayed stores
// visible.
void Engine::step(Intent intent, bool commits) {
  ModelThread& me = *current_;
  if (starting_) {
    // Only now it is known what the thread intends. The starter goes on with the next one.
    me.intent = intent;
    me.intent_alone = intent;
    current_ = &threads_[0];
    Fiber::switch_to(me.fiber, current_->fiber);
  }
  if (me.id == 0) {
    if (++sequential_steps_ > kMaxSequentialSteps) fail(Error::kLivelock, "too many steps outside the threads");
    return;
  }
  me.intent_alone = intent;
  if (commits && !me.delayed.empty()) intent.kind = Intent::Kind::kEverything;
  me.intent = intent;
  if (!picked_) yield_to_next();
  picked_ = false;
  if (++steps_ > options_.max_steps) {
    fail(Error::kLivelock, "more than " + std::to_string(options_.max_steps) + " steps");
  }
}

// Each thread goes to its first step, where it stands until it is picked.
void Engine::start_threads() {
  starting_ = true;
  for (int id = 1; id < thread_count_; ++id) {
    ModelThread& thread = threads_[id];
    thread.now.happened = threads_[0].now.happened;
    thread.now.view = threads_[0].now.view;
    current_ = &thread;
    Fiber::switch_to(threads_[0].fiber, thread.fiber);
  }
  starting_ = false;
}

void Engine::finish_thread() {
  ModelThread& me = *current_;
  if (!me.delayed.empty()) step({Intent::Kind::kFence}, true);
  commit_all(me);
  tick(me);
  me.state = ModelThread::State::kDone;
  if (starting_) {
    current_ = &threads_[0];
  } else {
    ModelThread* next = pick();
    if (next == nullptr) {
      for (const ModelThread& thread : threads_) {
        if (thread.id != 0 && thread.state != ModelThread::State::kUnused &&
            thread.state != ModelThread::State::kDone) {
          nobody_runs();
        }
      }
      next = &threads_[0];
    }
    current_ = next;
    picked_ = next->id != 0;
  }
  Fiber::switch_to(me.fiber, current_->fiber);
  __builtin_unreachable();
}

void Engine::block(const Variable& on, const Bits& old) {
  ModelThread& me = *current_;
  if (me.id == 0) fail(Error::kDeadlock, "waits outside the threads");
  me.state = ModelThread::State::kWaiting;
  me.awaits = &on;
  me.awaited_old = old;
  yield_to_next();
  picked_ = false;
  me.awaits = nullptr;
}

// Others go first until one of them writes.
void Engine::park() {
  current_->parked = true;
  current_->parked_at = writes_;
}

void Engine::yield_to_next() {
  ModelThread* const me = current_;
  ModelThread* const next = pick();
  if (next == nullptr) nobody_runs();
  picked_ = true;
  if (next == me) {
    ++me->in_a_row;
  } else {
    me->in_a_row = 0;
    switch_to(*next);
  }
}

void Engine::switch_to(ModelThread& thread) {
  ModelThread& me = *current_;
  current_ = &thread;
  Fiber::switch_to(me.fiber, thread.fiber);
}

// The threads that can take their step.
std::uint32_t Engine::runnable() const {
  std::uint32_t all = 0;
  std::uint32_t eager = 0;
  for (int id = 1; id < thread_count_; ++id) {
    const ModelThread& thread = threads_[id];
    if (thread.state != ModelThread::State::kReady) continue;
    if (thread.wants != nullptr && thread.wants->owner >= 0) continue;
    if (thread.calls_membarrier && fences_due()) continue;
    all |= bit(id);
    if (!thread.parked || thread.parked_at != writes_) eager |= bit(id);
  }
  // Where all of them wait for each other in loops, they loop until the execution is too long.
  return eager != 0 ? eager : all;
}

Intent Engine::intent_of(int candidate) const {
  if (candidate >= kFences) return {};
  if (candidate < kMaxThreads) return threads_[candidate].intent;
  return threads_[candidate - kMaxThreads].delayed.front().intent();
}

// The step that executed the store, where the candidate is a delayed one.
int Engine::issued(int candidate) const {
  return candidate < kMaxThreads || candidate >= kFences ? -1
                                                         : threads_[candidate - kMaxThreads].delayed.front().issued;
}

// Whether the candidate stands before a step, even if it cannot take it now.
bool Engine::has_intent(int candidate) const {
  if (candidate >= kFences) return threads_[candidate - kFences].fence_due;
  if (candidate >= kMaxThreads) return !threads_[candidate - kMaxThreads].delayed.empty();
  const auto state = threads_[candidate].state;
  return state != ModelThread::State::kUnused && state != ModelThread::State::kDone;
}

// Whether `candidate` need not be tried after `chosen`, because it was tried before it and the two commute.
bool Engine::goes_to_sleep(int candidate, int chosen) const {
  if (candidate % kMaxThreads == chosen % kMaxThreads) return false;
  return !intent_of(candidate).depends_on(intent_of(chosen));
}

void Engine::find_reversals(int candidate) {
  const bool bounded = !sleeping_;
  if (candidate >= kFences) {
    reduction_.find_reversals(candidate, intent_of(candidate), -1, true, bounded, choices_);
  } else if (candidate < kMaxThreads) {
    reduction_.find_reversals(candidate, threads_[candidate].intent, -1, true, bounded, choices_);
  } else {
    // They follow each other without anyone's doing: what only the last of them depends on concerns the first.
    const std::vector<Delayed>& stores = threads_[candidate - kMaxThreads].delayed;
    for (const Delayed& store : stores) {
      reduction_.find_reversals(candidate, store.intent(), store.issued, &store == &stores.front(), bounded, choices_);
    }
  }
  reduction_.looked(candidate);
}

// The next thread, after any delayed stores that become visible before its step. Null if no thread can go on.
ModelThread* Engine::pick() {
  for (;;) {
    // The part of an execution that is a repetition was looked at when it was new.
    if (reducing_ && !sleeping_ && !choices_.replaying()) {
      for (int c = 1; c < kProcesses; ++c) {
        if (has_intent(c)) find_reversals(c);
      }
    }
    std::uint32_t threads = runnable();
    const std::uint32_t able = threads;
    const int now = current_->id;
    const bool can_stay = (threads & bit(now)) != 0;
    bool forced = false;
    if (can_stay && current_->in_a_row >= kFairness && threads != bit(now)) {
      threads &= ~bit(now);
      forced = true;
    } else if (can_stay && !random_mode_ && options_.preemptions >= 0 && preemptions_ >= options_.preemptions) {
      threads = bit(now);
    }

    candidates_.clear();
    if ((threads & bit(now)) != 0) candidates_.push_back(now);
    for (int id = 1; id < thread_count_; ++id) {
      if (id != now && (threads & bit(id)) != 0) candidates_.push_back(id);
    }
    if (others_unfinished()) {
      for (int id = 1; id < thread_count_; ++id) {
        if (!threads_[id].delayed.empty()) candidates_.push_back(kMaxThreads + id);
      }
    }
    for (int id = 1; id < thread_count_; ++id) {
      if (threads_[id].fence_due) candidates_.push_back(kFences + id);
    }
    if (candidates_.empty()) return nullptr;

    const std::size_t index = choose_candidate(candidates_);
    const int chosen = candidates_[index];
    const int choice = candidates_.size() > 1 ? choices_.last() : -1;
    if (sleeping_) {
      if (choice >= 0) {
        for (std::size_t i = 0; i < candidates_.size(); ++i) {
          if ((choices_.at(choice).done & bit(static_cast<int>(i))) != 0) asleep_ |= bit(candidates_[i]);
        }
      }
      for (int c = 1; c < kProcesses; ++c) {
        if ((asleep_ & bit(c)) != 0 && !goes_to_sleep(c, chosen)) asleep_ &= ~bit(c);
      }
    }
    if (reducing_) {
      if (!choices_.replaying()) {
        const int stores = chosen % kMaxThreads + kMaxThreads;
        for (const int c : {chosen, stores}) {
          // The thread's step may make its delayed stores visible.
          if (!has_intent(c)) continue;
          reduction_.moved(c);
          find_reversals(c);
        }
      }
      reduction_.add(chosen, intent_of(chosen), choice, able, issued(chosen));
    }
    if (chosen < kMaxThreads) {
      if (can_stay && !forced && chosen != now) ++preemptions_;
      threads_[chosen].parked = false;
      return &threads_[chosen];
    }
    if (chosen >= kFences) {
      meet_membarrier(threads_[chosen - kFences]);
    } else {
      commit(threads_[chosen - kMaxThreads]);
    }
  }
}

// Which of the candidates goes next. All of them are tried, unless the reduction knows which must be.
std::size_t Engine::choose_candidate(const std::vector<int>& candidates) {
  const auto count = static_cast<std::uint32_t>(candidates.size());
  Alternatives asleep = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (sleeping_ && (asleep_ & bit(candidates[i])) != 0) asleep = static_cast<Alternatives>(asleep | 1u << i);
  }
  const unsigned all = (1u << count) - 1;
  if (asleep == all) {
    outcome_ = Outcome::kPruned;
    leave();
  }
  if (count == 1) return 0;
  if (choices_.replaying()) return choices_.again(count);
  const auto first = random_mode_ ? random_candidate(candidates)
                                  : static_cast<std::uint32_t>(std::countr_zero(all & ~unsigned{asleep}));
  Choice choice{
      .taken = static_cast<std::uint16_t>(first), .count = static_cast<std::uint16_t>(count), .of_thread = true};
  choice.wanted = static_cast<Alternatives>(reducing_ ? 1u << first : all);
  choice.asleep = asleep;
  for (std::uint32_t i = 0; i < count; ++i) choice.candidates[i] = static_cast<std::uint8_t>(candidates[i]);
  choices_.add(choice);
  return first;
}

std::uint32_t Engine::random_candidate(const std::vector<int>& candidates) {
  const auto count = static_cast<std::uint32_t>(candidates.size());
  if (!options_.replay.empty()) return 0;
  if (!by_priority_) return random_.below(kStayOutOf) == 0 ? random_.below(count) : 0;
  if (std::find(change_points_.begin(), change_points_.end(), steps_) != change_points_.end()) {
    priorities_[current_->id] = 0;
  }
  std::uint32_t best = 0;
  std::uint32_t choice = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const int c = candidates[i];
    const std::uint32_t rank = c < kMaxThreads ? priorities_[c] : random_.below(1u << 16);
    if (i == 0 || rank > best) {
      best = rank;
      choice = i;
    }
  }
  return choice;
}

bool Engine::fences_due() const {
  return std::any_of(threads_.begin(), threads_.end(), [](const ModelThread& thread) { return thread.fence_due; });
}

// Whether a thread other than the current one has steps left.
bool Engine::others_unfinished() const {
  for (int id = 1; id < thread_count_; ++id) {
    const auto state = threads_[id].state;
    if (&threads_[id] != current_ && state != ModelThread::State::kUnused && state != ModelThread::State::kDone) {
      return true;
    }
  }
  return false;
}

void Engine::nobody_runs() {
  std::string who;
  bool lost = false;
  for (int id = 1; id < thread_count_; ++id) {
    const ModelThread& thread = threads_[id];
    if (thread.state == ModelThread::State::kDone) continue;
    const Variable* on = thread.wants != nullptr ? thread.wants : thread.awaits;
    who +=
        (who.empty() ? "T" : ", T") + std::to_string(id) + " waits for " + (on != nullptr ? name_of(*on) : "nothing");
    if (thread.awaits != nullptr && !(thread.awaits->writes.back().value == thread.awaited_old)) {
      lost = true;
      who += ", which has changed";
    }
  }
  fail(lost ? Error::kLostWakeup : Error::kDeadlock, who);
}

}  // namespace scree::model

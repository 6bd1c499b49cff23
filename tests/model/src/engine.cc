// SPDX-License-Identifier: Apache-2.0
//
// Executions: one after another, in depth-first order of their choices, then random ones. The first that fails is run
// again for its trace.

#include "engine.h"

#include <algorithm>
#include <chrono>
#include <exception>

namespace scree::model {
namespace {

constexpr std::uint32_t kOldOutOf = 2;      // a random execution takes an alternative once out of so many
constexpr std::uint32_t kChangePoints = 3;  // of priorities, in a random execution
constexpr char kRandomSchedule = 'r';       // begins a schedule that no bound of preemptions limits

}  // namespace

Engine::Engine() {
  for (int id = 0; id < kMaxThreads; ++id) threads_[id].id = id;
  current_ = &threads_[0];
}

Engine& Engine::instance() {
  static Engine* const engine = new Engine;
  return *engine;
}

std::uint32_t Engine::choose(std::uint32_t count) {
  if (count == 1) return 0;
  if (choices_.replaying()) return choices_.again(count);
  std::uint32_t choice = 0;
  if (random_mode_ && options_.replay.empty() && random_.below(kOldOutOf) == 0) choice = random_.below(count);
  choices_.take(choice, count);
  return choice;
}

void Engine::reset() {
  ++execution_;
  choices_.rewind();
  arena_.reset();
  variables_.reset();
  trace_.clear();
  outcome_ = Outcome::kFinished;
  error_ = Error::kNone;
  what_.clear();
  for (ModelThread& thread : threads_) {
    thread.state = ModelThread::State::kUnused;
    thread.at_exit.clear();
    thread.now = {};
    thread.pending = {};
    thread.fenced = {};
    thread.delayed.clear();
    thread.fence_due = false;
    thread.calls_membarrier = false;
    thread.parked = false;
    thread.own_writes = 0;
    thread.in_a_row = 0;
    thread.wants = nullptr;
    thread.awaits = nullptr;
  }
  // What the program does before its threads is at its time 1.
  threads_[0].now.happened.set(0, 1);
  threads_[0].now.view.set(0, 1);
  current_ = &threads_[0];
  thread_count_ = 1;
  starting_ = false;
  picked_ = false;
  reducing_ = options_.reduce && !random_mode_ && !tracing_ && options_.replay.empty();
  // Not with delayed stores: that one may be offered, and becomes visible with others, depends on more than Intent
  // says.
  const bool delays = options_.memory != Memory::kInterleaving && options_.delayed_stores != 0;
  sleeping_ = reducing_ && options_.preemptions < 0 && !delays;
  reduction_.reset();
  steps_ = 0;
  sequential_steps_ = 0;
  writes_ = 0;
  preemptions_ = 0;
  stale_reads_ = 0;
  delayed_stores_ = 0;
  spurious_failures_ = 0;
  allocation_failures_ = 0;
  asleep_ = 0;
  sc_time_ = 0;
  sc_view_ = {};
  ends_.clear();
  destructions_.clear();
  per_execution_.clear();
  if (random_mode_) {
    by_priority_ = random_.below(2) == 0;
    for (std::uint32_t& priority : priorities_) priority = 1 + random_.below(1u << 16);
    change_points_.clear();
    for (std::uint32_t i = 0; i < kChangePoints; ++i) change_points_.push_back(random_.below(longest_ + 1));
  }
}

Engine::Outcome Engine::run_execution() {
  reset();
  executing_ = true;
  threads_[0].fiber.prepare([](void* engine) { static_cast<Engine*>(engine)->run_program(); }, this);
  Fiber::switch_to(root_, threads_[0].fiber);
  executing_ = false;
  longest_ = std::max(longest_, steps_);
  return outcome_;
}

void Engine::run_program() {
  try {
    Program program;
    hooks::active = true;
    (*program_)(program);
    hooks::active = false;
    start_threads();
    if (ModelThread* next = pick()) {
      picked_ = true;
      switch_to(*next);
    } else if (others_unfinished()) {
      nobody_runs();
    }
    for (int id = 1; id < thread_count_; ++id) threads_[0].now.join(threads_[id].now);
    end_program();
  } catch (const std::exception& e) {
    hooks::active = false;
    fail(Error::kException, std::string("the program threw: ") + e.what());
  }
  leave();
}

// The rest of the execution, on one thread: final checks, then everything is destroyed.
void Engine::end_program() {
  const auto in_program = [](void (*function)(void*), void* argument) {
    hooks::active = true;
    function(argument);
    hooks::active = false;
  };
  for (const auto& [function, body] : ends_) in_program(function, body);
  for (auto at = destructions_.rbegin(); at != destructions_.rend(); ++at) in_program(at->first, at->second);
  run_exit_calls(threads_[0]);
  while (!per_execution_.empty()) {
    const auto [function, object] = per_execution_.back();
    per_execution_.pop_back();
    in_program(function, object);
  }
  check_leaks();
}

void Engine::run_exit_calls(ModelThread& thread) {
  while (!thread.at_exit.empty()) {
    const auto [function, argument] = thread.at_exit.back();
    thread.at_exit.pop_back();
    hooks::active = true;
    function(argument);
    hooks::active = false;
  }
}

void Engine::run_thread(ModelThread& thread) {
  try {
    hooks::active = true;
    thread.run(thread.body);
    hooks::active = false;
    run_exit_calls(thread);
  } catch (const std::exception& e) {
    hooks::active = false;
    fail(Error::kException, "T" + std::to_string(thread.id) + " threw: " + e.what());
  }
  finish_thread();
}

void Engine::add_thread(void* body, void (*run)(void*)) {
  if (thread_count_ == kMaxThreads) fail(Error::kBadTest, "more than four threads");
  ModelThread& thread = threads_[thread_count_++];
  thread.body = body;
  thread.run = run;
  thread.state = ModelThread::State::kReady;
  thread.fiber.prepare(
      [](void* t) {
        Engine& engine = instance();
        engine.run_thread(*static_cast<ModelThread*>(t));
      },
      &thread);
}

void* Engine::construct_per_execution(std::size_t size, std::size_t alignment, void (*construct)(void*),
                                      void (*destroyer)(void*)) {
  void* memory = allocate_for_engine(size, alignment);
  ModelThread* const caller = current_;
  const bool starting = starting_;
  current_ = &threads_[0];
  starting_ = false;
  hooks::active = true;
  construct(memory);
  hooks::active = false;
  current_ = caller;
  starting_ = starting;
  per_execution_.emplace_back(destroyer, memory);
  return memory;
}

void Engine::at_thread_exit(void (*function)(void*), void* argument) {
  current_->at_exit.emplace_back(function, argument);
}

void Engine::leave() {
  hooks::active = false;
  ModelThread& me = *current_;
  Fiber::switch_to(me.fiber, root_);
  __builtin_unreachable();
}

void Engine::fail(Error error, const std::string& what) {
  outcome_ = Outcome::kFailed;
  error_ = error;
  what_ = what;
  leave();
}

void Engine::crash(int signal, const void* address) {
  hooks::active = false;
  outcome_ = Outcome::kFailed;
  error_ = Error::kCrash;
  what_ = "signal " + std::to_string(signal) + " at " + text_of(Place{{nullptr, 0}, address});
  siglongjmp(after_crash_, 1);
}

Result Engine::explore(const Options& options, const std::function<void(Program&)>& program) {
  const auto begin = std::chrono::steady_clock::now();
  Result result;
  result.options = options;
  options_ = options;
  options_.max_steps = std::min(options.max_steps, kMaxSteps);
  program_ = &program;
  random_.seed(options.seed);
  random_mode_ = false;
  tracing_ = false;
  longest_ = 0;
  choices_.clear();
  what_ = planting_.resolve(options.planted, options.unobserved);
  if (!what_.empty()) {
    result.error = Error::kBadTest;
    result.what = what_;
  } else {
    search(result);
  }
  result.longest = longest_;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

// True if there is no point in going on.
bool Engine::conclude(Result& result, Outcome outcome) {
  ++(outcome == Outcome::kPruned ? result.pruned : result.executions);
  if (outcome != Outcome::kFailed) return false;
  result.error = error_;
  result.what = what_;
  result.schedule = (random_mode_ ? std::string(1, kRandomSchedule) : std::string()) + choices_.to_text();
  tracing_ = true;
  if (run_execution() == Outcome::kFailed && error_ == result.error) {
    result.what = what_;
    result.trace = trace_;
  } else {
    result.what += " (the program is not deterministic: the same schedule did not show it again)";
  }
  tracing_ = false;
  return true;
}

void Engine::search(Result& result) {
  // A crash in an execution arrives here, where its stacks are of no interest any more.
  if (sigsetjmp(after_crash_, 1) != 0) {
    executing_ = false;
    if (tracing_) {
      result.what = what_;
      result.trace = trace_;
    } else {
      conclude(result, Outcome::kFailed);
    }
    tracing_ = false;
    return;
  }
  if (!options_.replay.empty()) {
    random_mode_ = options_.replay[0] == kRandomSchedule;
    if (!choices_.from_text(options_.replay.substr(random_mode_ ? 1 : 0))) {
      result.error = Error::kBadTest;
      result.what = "no schedule: " + options_.replay;
      return;
    }
    conclude(result, run_execution());
    return;
  }
  while (result.executions < options_.max_executions) {
    if (conclude(result, run_execution())) return;
    if (!choices_.advance()) {
      result.complete = true;
      break;
    }
  }
  if (!result.complete) {
    random_mode_ = true;
    for (; result.random < options_.random_executions; ++result.random) {
      choices_.clear();
      if (conclude(result, run_execution())) return;
    }
  }
  if (const std::string missing = planting_.not_executed(); !missing.empty()) {
    result.error = Error::kBadTest;
    result.what = missing;
  }
}

}  // namespace scree::model

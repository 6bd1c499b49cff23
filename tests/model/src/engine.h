// SPDX-License-Identifier: Apache-2.0
//
// The explorer's engine. engine.cc runs executions, scheduler.cc says who goes next, memory.cc is the memory model,
// lifetime.cc checks plain accesses and lifetimes.

#pragma once

#include <setjmp.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "arena.h"
#include "choices.h"
#include "clock.h"
#include "fiber.h"
#include "model/explorer.h"
#include "planting.h"
#include "random.h"
#include "reduction.h"
#include "variables.h"

namespace scree::model {

// A store that its thread has executed and nobody else can see yet.
struct Delayed {
  Variable* variable;
  Bits value;
  Knowledge released;
  Site site;
  // It releases, and earlier stores were delayed as well. What it releases then has them, and with them what the thread
  // did in the meantime: more than C++20 promises, but only in executions like this one.
  bool follows;
  int issued;   // its step, where a reduction counts them
  bool pinned;  // a compiler fence followed it: it waits in the processor, not in the compiler

  Intent intent() const { return {Intent::Kind::kWrite, false, variable->address}; }
};

struct ModelThread {
  enum class State : std::uint8_t { kUnused, kReady, kWaiting, kDone };

  int id = 0;
  State state = State::kUnused;
  Fiber fiber;
  void* body = nullptr;
  void (*run)(void*) = nullptr;
  std::vector<std::pair<void (*)(void*), void*>> at_exit;

  Knowledge now;
  Knowledge pending;  // what relaxed loads have read; an acquire fence makes it known
  Knowledge fenced;   // what was known at the last release fence; relaxed stores carry it
  std::vector<Delayed> delayed;
  bool fence_due = false;  // a membarrier that has begun puts a fence into it

  Intent intent;
  Intent intent_alone;          // the same, once no store is delayed any more
  bool parked = false;          // it spins: others go first, until one of them writes
  std::uint64_t parked_at = 0;  // Engine::writes_
  std::uint64_t own_writes = 0;
  std::uint32_t in_a_row = 0;        // steps since another thread's
  const Variable* wants = nullptr;   // the mutex that it stands before
  bool calls_membarrier = false;     // it has begun, and goes on when no fence is due
  const Variable* awaits = nullptr;  // kWaiting: notified through this variable
  Bits awaited_old;

  Time time() const { return now.happened[id]; }
};

class Engine {
 public:
  static Engine& instance();

  Result explore(const Options& options, const std::function<void(Program&)>& program);

  // What the program calls, from its fibers.
  void construct_atomic(const hooks::Object& object);
  void destroy(const void* address, const void* caller);
  Bits load(const hooks::Object& object, std::memory_order order, Site site);
  void store(const hooks::Object& object, const Bits& value, std::memory_order order, Site site);
  Bits modify(const hooks::Object& object, hooks::Modify function, const Bits& operand, std::memory_order order,
              Site site, const char* what);
  bool compare_exchange(const hooks::Object& object, Bits& expected, const Bits& desired, std::memory_order success,
                        std::memory_order failure, bool weak, Site site);
  void wait(const hooks::Object& object, const Bits& old, std::memory_order order, Site site);
  void notify(const hooks::Object& object, bool all, Site site);
  void wake(const void* address, Site site);
  void fence(std::memory_order order, Site site);
  void compiler_fence(Site site);
  void yield(Site site);
  bool membarrier_register();
  bool membarrier_call(Site site);
  void construct_plain(const void* address, const void* caller);
  void access_plain(const void* address, bool write, const void* caller);
  void lock(const void* mutex, const void* caller);
  bool try_lock(const void* mutex, const void* caller);
  void unlock(const void* mutex, const void* caller);
  void* allocate(std::size_t size, std::size_t alignment, const void* caller);
  void deallocate(void* memory, const void* caller);
  void* construct_per_execution(std::size_t size, std::size_t alignment, void (*construct)(void*),
                                void (*destroy)(void*));
  void at_thread_exit(void (*function)(void*), void* argument);
  void sync_point(const char* name);
  void check(bool condition, const char* what);
  bool planted(const char* name);
  void label(const void* address, const char* name);

  // For Program.
  void* allocate_for_engine(std::size_t size, std::size_t alignment);
  void at_destruction(void (*function)(void*), void* object) { destructions_.emplace_back(function, object); }
  void add_thread(void* body, void (*run)(void*));
  void add_end(void* body, void (*run)(void*)) { ends_.emplace_back(run, body); }

  bool executing() const { return executing_; }
  bool owns(const void* memory) const { return arena_.contains(memory); }
  std::uint64_t execution_number() const { return executing_ ? execution_ : 0; }
  int thread_number() const { return current_->id; }
  [[noreturn]] void fail(Error error, const std::string& what);
  // The same, of the program rather than the engine.
  [[noreturn]] void fail_program(Error error, const char* what);
  // Of a signal's handler: leaves the execution, whatever the state of its stack.
  [[noreturn]] void crash(int signal, const void* address);

 private:
  Engine();

  // engine.cc
  enum class Outcome : std::uint8_t { kFinished, kPruned, kFailed };
  Outcome run_execution();
  void run_program();
  void run_thread(ModelThread& thread);
  void run_exit_calls(ModelThread& thread);
  void end_program();
  [[noreturn]] void leave();  // to explore(), for good
  std::uint32_t choose(std::uint32_t count);
  void reset();
  void search(Result& result);
  bool conclude(Result& result, Outcome outcome);
  void add_trace(Result& result);

  // scheduler.cc
  void step(Intent intent, bool commits);
  void start_threads();
  [[noreturn]] void finish_thread();
  void block(const Variable& on, const Bits& old);
  void park();
  void yield_to_next();
  ModelThread* pick();
  std::uint32_t runnable() const;
  Intent intent_of(int candidate) const;
  int issued(int candidate) const;
  bool has_intent(int candidate) const;
  bool goes_to_sleep(int candidate, int chosen) const;
  std::size_t choose_candidate(const std::vector<int>& candidates);
  std::uint32_t random_candidate(const std::vector<int>& candidates);
  void find_reversals(int candidate);
  void switch_to(ModelThread& thread);
  bool others_unfinished() const;
  bool fences_due() const;
  [[noreturn]] void nobody_runs();

  // memory.cc
  void tick(ModelThread& thread);
  Variable& touch(const hooks::Object& object, Site site);
  Variable& latest(const hooks::Object& object, Site site);
  bool plant(Site site, std::memory_order& order);
  std::uint32_t floor_of(const Variable& v, bool sc) const;
  Bits read(Variable& v, std::uint32_t position, std::memory_order order);
  std::uint32_t choose_write(const Variable& v, std::memory_order order, const Bits* other_than);
  void append(ModelThread& writer, Variable& v, const Bits& value, const Knowledge& released, bool sc);
  const Knowledge& releases(std::memory_order order) const;
  const Delayed* forwarded(const Variable& v) const;
  bool may_delay() const;
  void commit(ModelThread& thread);
  void commit_all(ModelThread& thread);
  void fence_of(ModelThread& thread, std::memory_order order);
  void meet_membarrier(ModelThread& thread);
  void wake_waiters(const Variable& v, bool all);
  void note_spin(Variable& v, std::uint32_t position, int line);

  // lifetime.cc
  Variable& variable_at(const void* address, Variable::Kind kind, const Place& place);
  Variable& register_variable(const void* address, Variable::Kind kind);
  void check_alive(const Variable& v, const Place& place);
  void check_order(int thread, Time time, const Place& earlier, Error error, const Variable& v, const char* what,
                   const Place& place);
  void end_of_life(Variable& v, Variable::State state, const Place& place);
  Time plain_time() const { return static_cast<Time>(current_->time() + (sequential() ? 0 : 1)); }
  bool sequential() const { return current_->id == 0; }
  void check_leaks();

  // trace.cc
  std::string name_of(const Variable& v) const;
  std::string text_of(const Place& place) const;
  std::string describe_write(const Variable& v, std::uint32_t position) const;
  static std::string to_text(const Bits& bits, std::uint8_t size);
  void trace(int thread, const char* what, const Variable* v, const Place& place, const std::string& rest);

  Options options_;
  const std::function<void(Program&)>* program_ = nullptr;
  Arena arena_;
  Variables variables_;
  Choices choices_;
  Planting planting_;
  Random random_;
  bool random_mode_ = false;
  bool tracing_ = false;
  std::string trace_;

  // Of one execution.
  bool executing_ = false;
  std::uint64_t execution_ = 0;
  Outcome outcome_ = Outcome::kFinished;
  Error error_ = Error::kNone;
  std::string what_;
  Fiber root_;
  sigjmp_buf after_crash_;
  std::array<ModelThread, kMaxThreads> threads_;
  ModelThread* current_ = nullptr;
  int thread_count_ = 1;
  bool starting_ = false;  // each thread goes to its first step
  bool picked_ = false;    // the current thread was picked, and has not yet begun its step
  bool reducing_ = false;  // partial-order reduction
  bool sleeping_ = false;  // with sleep sets
  Reduction reduction_;
  std::uint32_t steps_ = 0;
  std::uint32_t sequential_steps_ = 0;
  std::uint32_t longest_ = 0;
  std::uint64_t writes_ = 0;  // visible ones
  int preemptions_ = 0;
  int stale_reads_ = 0;
  int delayed_stores_ = 0;
  int spurious_failures_ = 0;
  int allocation_failures_ = 0;
  std::uint32_t asleep_ = 0;     // the sleep set: bits of candidates
  std::vector<int> candidates_;  // pick()'s
  Time sc_time_ = 0;
  Clock sc_view_;  // what seq_cst fences have seen
  std::vector<std::pair<void (*)(void*), void*>> ends_;
  std::vector<std::pair<void (*)(void*), void*>> destructions_;
  std::vector<std::pair<void (*)(void*), void*>> per_execution_;
  // Random mode: priorities that change at some steps, or a plain random walk.
  bool by_priority_ = false;
  std::array<std::uint32_t, kMaxThreads> priorities_{};
  std::vector<std::uint32_t> change_points_;
};

// While the engine works, operator new and the program's variables are ordinary.
class InEngine {
 public:
  InEngine() { hooks::active = false; }
  ~InEngine() { hooks::active = true; }
  InEngine(const InEngine&) = delete;
  InEngine& operator=(const InEngine&) = delete;
};

}  // namespace scree::model
